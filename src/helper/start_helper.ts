import { SYSTEM, type System } from "../core/system.ts";
import { aborted } from "../core/aborted.ts";
import {
  LinkError,
  PermissionError,
  UnsupportedError,
} from "../core/errors.ts";
import { spawn } from "../core/exec.ts";
import { within } from "../core/within.ts";
import { hasRootRights } from "./has_root_rights.ts";
import { RootHelperClient } from "./root_helper_client.ts";
import {
  type HelperCommand,
  ownProgram,
  sudoCommand,
} from "./helper_command.ts";
import { passedEnvironment } from "./helper_environment.ts";
import { prepareHelper } from "./prepare_helper.ts";

export interface StartHelperOptions {
  /** Gives up the start; a helper that runs is not ended by it. */
  readonly signal: AbortSignal;
  /** What root is needed for, as in "ktctl needs root …". @default "to change routes and the resolver" */
  readonly purpose?: string;
  /** Called when sudo is about to use the terminal: nothing else may write to it meanwhile. */
  readonly onPrompt?: () => void;
  /** @default whether this process is root's, or on Windows run as administrator */
  readonly isRoot?: boolean;
  /** Deadline of the undo when the client is disposed. @default 60000 */
  readonly undoMs?: number;
  /** @default this system's */
  readonly os?: System;
  /** For tests. @default this program itself */
  readonly command?: HelperCommand;
}

/** It may have to take back much that a dead helper left. */
const START_MS = 90_000;
/** sudo itself gives up the prompt after five minutes. */
const PROMPT_MS = 6 * 60_000;
const SAME_CTRL_C_MS = 500;
const HINT = "Run ktctl as root.";

/**
 * Starts this program once more as root, by sudo if need be. Windows has none that could be relied
 * on: there this process must have the rights itself.
 *
 * @throws {PermissionError} `ROOT_NEEDED` without sudo, or on Windows without rights; `ROOT_REFUSED` where sudo refuses, or the
 * password is not given.
 * @throws {UnsupportedError} `HELPER_NOT_STARTED`.
 * @throws the helper's own error where it says why it does not begin; the reason of `signal`.
 */
export async function startHelper(
  options: StartHelperOptions,
): Promise<RootHelperClient> {
  const { signal, isRoot = hasRootRights() } = options;
  const { purpose = "to change routes and the resolver", os = SYSTEM } =
    options;
  if (os === "windows" && !isRoot) throw notElevated(purpose);
  const command = options.command ??
    await prepareHelper(ownProgram(), signal);
  if (signal.aborted) throw signal.reason;
  const child = isRoot
    ? startDirectly(command)
    : startBySudo(command, { ...options, purpose });
  feed(child, command);
  const ended = child.status.then(({ code }) => code);
  const client = new RootHelperClient({
    stdin: child.stdin,
    stdout: child.stdout,
    ended,
  }, options);
  try {
    await Promise.race([client.ready(), deadline(options, isRoot)]);
    return client;
  } catch (error) {
    // sudo at its prompt cannot be killed by us: it ends with the prompt, and the helper at once
    client[Symbol.asyncDispose]().catch(() => {});
    if (signal.aborted) throw signal.reason;
    const reason = await startError(error, { ended, isRoot });
    // sudo ends by the same Ctrl-C, and its end may be seen first
    if (!isRoot) await within(SAME_CTRL_C_MS, aborted(signal).catch(() => {}));
    if (signal.aborted) throw signal.reason;
    throw reason;
  }
}

/** Nobody waits for it: sudo may ask for a password first. */
function feed({ stdin }: Deno.ChildProcess, { stdin: text }: HelperCommand) {
  if (text === undefined) return;
  const writer = stdin.getWriter();
  // where nobody reads it, the end of the process tells more
  writer.write(text).catch(() => {});
  writer.releaseLock();
}

function startDirectly({ argv, env }: HelperCommand): Deno.ChildProcess {
  const [program = "", ...args] = argv;
  return spawn(program, {
    args,
    ...CHILD,
    clearEnv: true,
    env: { ...passedEnvironment(), ...env },
  });
}

/** Not in the user's folder: whatever lies there is not root's business. */
const CHILD = {
  stdin: "piped",
  stdout: "piped",
  stderr: "inherit",
  ...(SYSTEM === "windows" ? {} : { cwd: "/" }),
} as const;

function startBySudo(
  command: HelperCommand,
  { purpose, onPrompt }:
    & Pick<StartHelperOptions, "onPrompt">
    & { readonly purpose: string },
): Deno.ChildProcess {
  const canAsk = hasTerminal() || Deno.env.has("SUDO_ASKPASS");
  const [program = "", ...args] = sudoCommand(command, { purpose, canAsk });
  if (canAsk) onPrompt?.();
  try {
    return spawn(program, { args, ...CHILD });
  } catch (error) {
    throw new PermissionError(
      "ROOT_NEEDED",
      `Root is needed ${purpose}, and there is no sudo`,
      { hint: HINT, cause: error },
    );
  }
}

/** sudo asks there, wherever our own input comes from. */
function hasTerminal(): boolean {
  try {
    Deno.openSync("/dev/tty", { read: true, write: true }).close();
    return true;
  } catch {
    return false;
  }
}

function deadline(
  { signal }: StartHelperOptions,
  isRoot: boolean,
): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const ms = isRoot ? START_MS : PROMPT_MS;
  const timer = setTimeout(() => reject(notStarted("it took too long")), ms);
  Deno.unrefTimer(timer);
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  return promise;
}

/** Why there was no hello. sudo and Deno have told theirs on standard error, which is passed on. */
async function startError(
  error: unknown,
  { ended, isRoot }: { ended: Promise<number>; isRoot: boolean },
): Promise<unknown> {
  const isSilent = error instanceof LinkError ||
    (error as { code?: string }).code === "HELPER_LOST";
  if (!isSilent) return error;
  const code = await ended;
  if (isRoot || code !== 1) return notStarted(`exit code ${code}`);
  return new PermissionError(
    "ROOT_REFUSED",
    "Cannot become root: sudo refused, or got no password",
    { hint: `${HINT} What sudo said is above.` },
  );
}

function notElevated(purpose: string): PermissionError {
  return new PermissionError(
    "ROOT_NEEDED",
    `Administrator rights are needed ${purpose}`,
    {
      hint:
        'Run ktctl in a terminal that was started with "Run as administrator".',
    },
  );
}

function notStarted(reason: string): UnsupportedError {
  return new UnsupportedError(
    "HELPER_NOT_STARTED",
    `Cannot start the root helper: ${reason}`,
    { hint: "What it said is above." },
  );
}
