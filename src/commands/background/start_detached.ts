import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { messageOf, UnsupportedError } from "../../core/errors.ts";

export interface DetachedProgram {
  readonly pid: number | undefined;
  /**
   * Its exit code, 128 + 9 where a signal ended it. Rejects with `UnsupportedError` (`COMMAND_FAILED`)
   * where it cannot be started.
   */
  readonly ended: Promise<number>;
  /** Asks it to end. */
  terminate(): void;
  /** This process need not wait for it. */
  leave(): void;
}

/**
 * Starts a program in a session of its own, which the end of this one and of its terminal are nothing to.
 * What it tells is appended to a file; it has no input.
 */
export function startDetached(
  [command = "", ...args]: readonly string[],
  { log }: { log: string },
): DetachedProgram {
  const output = openSync(log, "a");
  const child = spawn(command, args, {
    detached: true,
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once("error", (error) =>
    reject(
      new UnsupportedError(
        "COMMAND_FAILED",
        `Command "${command}" cannot be started: ${messageOf(error)}`,
        { cause: error },
      ),
    ));
  child.once("exit", (code) => resolve(code ?? 137));
  return {
    pid: child.pid,
    ended: promise,
    terminate: () => void child.kill("SIGTERM"),
    leave: () => child.unref(),
  };
}
