import { statSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { SYSTEM, type System } from "../../core/system.ts";

/** macOS takes 103 bytes, Linux four more. */
const MAX_BYTES = 103;

/**
 * Where a session answers: in the user's runtime folder; where there is none, beside the journals', or in a
 * folder of the user's own below that for temporary files. Undefined where none of them serves: on Windows,
 * where nothing was tried.
 */
export function sessionSocket(
  session: string,
  { env, journalDir, os = SYSTEM }: {
    env: (name: string) => string | undefined;
    journalDir: string;
    os?: System;
  },
): string | undefined {
  if (os === "windows") return undefined;
  const { uid } = userInfo();
  const runtime = env("XDG_RUNTIME_DIR") ?? "";
  const dirs = [
    // behind sudo it may be somebody else's
    ...(isOwn(runtime, uid) ? [join(runtime, "ktctl")] : []),
    join(dirname(journalDir), "run"),
    join(tmpdir(), `ktctl-${uid}`),
  ];
  return dirs.map((dir) => join(dir, `${session}.sock`)).find((path) =>
    new TextEncoder().encode(path).length <= MAX_BYTES
  );
}

function isOwn(dir: string, uid: number): boolean {
  if (!isAbsolute(dir)) return false;
  try {
    const found = statSync(dir);
    return found.isDirectory() && found.uid === uid;
  } catch {
    return false;
  }
}
