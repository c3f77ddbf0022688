import { statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import process from "node:process";
import { SYSTEM, type System } from "../../core/system.ts";

/** macOS takes 103 bytes, Linux four more. */
const MAX_BYTES = 103;

/**
 * Where a session answers: in the user's runtime folder; where there is none, or where the session outlives the
 * user's login, with which that folder goes, beside the journals', or in a folder of the user's own below that for
 * temporary files. Undefined where none of them serves: on Windows, where nothing was tried.
 */
export function sessionSocket(
  session: string,
  { env, journalDir, log, os = SYSTEM }: {
    env: (name: string) => string | undefined;
    journalDir: string;
    /** Of a session in the background. */
    log?: string;
    os?: System;
  },
): string | undefined {
  if (os === "windows") return undefined;
  // a container's uid may have no name, which userInfo() throws at
  const uid = process.getuid!();
  const runtime = env("XDG_RUNTIME_DIR") ?? "";
  const dirs = [
    // behind sudo it may be somebody else's
    ...(log === undefined && isOwn(runtime, uid)
      ? [join(runtime, "ktctl")]
      : []),
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
