/** The only place that starts other programs, but those that outlive this one (`startDetached`). */
import {
  Cancelled,
  messageOf,
  PermissionError,
  UnsupportedError,
} from "./errors.ts";

export interface ExecOptions {
  /** Given to the program's standard input, which is closed after it. */
  readonly stdin?: string | Uint8Array;
  readonly signal?: AbortSignal;
  /** @default 30000 */
  readonly timeoutMs?: number;
  /** Added to this process's environment. */
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** In a session of its own: the terminal's Ctrl-C does not reach it. @default false */
  readonly detached?: boolean;
}

export interface ExecResult {
  /** The exit code; 128 + n after signal n. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that asks nicely to end has so long before it is killed. */
const KILL_AFTER_MS = 1000;

/**
 * Runs a program to its end. A non-zero exit code is a result, not an error.
 *
 * @throws {UnsupportedError} `COMMAND_NOT_FOUND`, `COMMAND_FAILED` (cannot be started) or
 * `COMMAND_TIMEOUT`.
 * @throws {PermissionError} `RUN_NOT_ALLOWED` if Deno or the system forbids it.
 * @throws {Cancelled} by `signal`.
 */
export async function exec(
  command: string,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult> {
  const { stdin, signal, timeoutMs = 30_000, env, cwd, detached } = options;
  if (signal?.aborted) throw new Cancelled();
  const child = spawn(command, {
    args: [...args],
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    ...(env && { env }),
    ...(cwd !== undefined && { cwd }),
    ...(detached !== undefined && { detached }),
  });
  const stopped = Promise.withResolvers<never>();
  const abort = () => stopped.reject(new Cancelled());
  const timer = setTimeout(() => {
    const message = `Command "${command}" did not end within "${timeoutMs}" ms`;
    stopped.reject(new UnsupportedError("COMMAND_TIMEOUT", message));
  }, timeoutMs);
  signal?.addEventListener("abort", abort, { once: true });
  const ended = Promise.all([child.output(), feed(child, stdin)]);
  ended.catch(() => {}); // nobody waits for it after a timeout
  try {
    const [{ code, stdout, stderr }] = await Promise.race([
      ended,
      stopped.promise,
    ]);
    const decoder = new TextDecoder();
    return {
      code,
      stdout: decoder.decode(stdout),
      stderr: decoder.decode(stderr),
    };
  } catch (error) {
    kill(child);
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

/**
 * Starts a program that is talked to while it runs.
 *
 * @throws {UnsupportedError} `COMMAND_NOT_FOUND` or `COMMAND_FAILED`.
 * @throws {PermissionError} `RUN_NOT_ALLOWED`.
 */
export function spawn(
  command: string,
  options: Deno.CommandOptions,
): Deno.ChildProcess {
  try {
    return new Deno.Command(command, options).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new UnsupportedError(
        "COMMAND_NOT_FOUND",
        `Cannot find the command "${command}"`,
        {
          hint: `Install "${command}" or put it on the PATH.`,
          cause: error,
        },
      );
    }
    const message = `Cannot run "${command}": ${messageOf(error)}`;
    if (
      error instanceof Deno.errors.NotCapable ||
      error instanceof Deno.errors.PermissionDenied
    ) {
      throw new PermissionError("RUN_NOT_ALLOWED", message, { cause: error });
    }
    throw new UnsupportedError("COMMAND_FAILED", message, { cause: error });
  }
}

async function feed(
  child: Deno.ChildProcess,
  stdin: string | Uint8Array | undefined,
) {
  if (stdin === undefined) return;
  const bytes = typeof stdin === "string"
    ? new TextEncoder().encode(stdin)
    : stdin;
  const writer = child.stdin.getWriter();
  // A program may end without reading its input; its exit code tells more than a broken pipe.
  await writer.write(bytes).then(() => writer.close()).catch(() => {});
}

function kill(child: Deno.ChildProcess): void {
  const send = (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch {
      // It has ended already.
    }
  };
  send("SIGTERM");
  const timer = setTimeout(() => send("SIGKILL"), KILL_AFTER_MS);
  child.status.then(() => clearTimeout(timer), () => clearTimeout(timer));
}
