/** The lock that tells that a journal's process lives. */

import { SYSTEM, type System } from "../core/system.ts";

export interface JournalOptions {
  /** @default this system's */
  readonly os?: System;
}

/**
 * Locks of Windows are not advisory: what is locked can be read by nobody else, nor through another
 * handle. So there a journal's lock is on a file beside it.
 *
 * @returns that file, not locked yet; `undefined` where the journal itself is locked.
 */
export function openLockBeside(
  path: string,
  { os = SYSTEM }: JournalOptions = {},
): Deno.FsFile | undefined {
  if (os !== "windows") return undefined;
  return Deno.openSync(lockBeside(path), {
    create: true,
    write: true,
    mode: 0o600,
  });
}

export function lockBeside(path: string): string {
  return `${path}.lock`;
}
