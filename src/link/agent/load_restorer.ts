import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { UsageError } from "../../core/errors.ts";
import { type RestoreProgram, RESTORER_FILE } from "./agent_config.ts";

/**
 * Runs the bytes that it has checked: the file may be another one a moment later.
 *
 * @param digest SHA-256 in hexadecimal digits.
 * @throws {UsageError} `RESTORER_CHANGED`.
 */
export async function loadRestorer(
  digest: string,
  file = RESTORER_FILE,
): Promise<RestoreProgram> {
  const code = new Uint8Array(await readFile(file));
  if (createHash("sha256").update(code).digest("hex") !== digest) {
    throw new UsageError(
      "RESTORER_CHANGED",
      `${file} is not what this pod was made with: it is not run`,
    );
  }
  const url = URL.createObjectURL(
    new Blob([code], { type: "text/javascript" }),
  );
  try {
    return await import(url);
  } finally {
    URL.revokeObjectURL(url);
  }
}
