import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/**
 * What tells this machine from others that have the same home directory. The id itself is nobody else's
 * business. Undefined where there is none, as on other systems than Linux.
 */
export function thisMachine(): string | undefined {
  try {
    const id = readFileSync("/etc/machine-id", "utf8").trim();
    if (id === "") return undefined;
    return createHash("sha256").update(`ktctl ${id}`).digest("hex").slice(
      0,
      16,
    );
  } catch {
    return undefined;
  }
}

/** Whether what somebody wrote down about a machine is about another one. */
export function isElsewhere({ machine }: { machine?: string }): boolean {
  const here = thisMachine();
  return machine !== undefined && here !== undefined && machine !== here;
}
