import { endProcessTree } from "./end_process_tree.ts";

export interface ChildEnd {
  readonly code: number;
  /** Whether time was up. */
  readonly isLate: boolean;
}

/** The end of a process, for which it is killed with all that it started when time is up. */
export async function endedWithin(
  child: Deno.ChildProcess,
  timeoutMs: number,
): Promise<ChildEnd> {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    void endProcessTree(child.pid);
  }, timeoutMs);
  const { code } = await child.status;
  clearTimeout(timer);
  return { code, isLate };
}
