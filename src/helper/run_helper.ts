/** The process that `ktctl` starts of itself as root. */
import { forSystem, SYSTEM } from "../core/system.ts";
import {
  Cancelled,
  type KtctlError,
  PermissionError,
  UsageError,
} from "../core/errors.ts";
import { exec } from "../core/exec.ts";
import { terminalText } from "../core/terminal_text.ts";
import { hasRootRights } from "./has_root_rights.ts";
import { HELPER_FOLDER } from "./helper_folder.ts";
import { ignoreCtrlC } from "./ignore_ctrl_c.ts";
import { clearEnvironment } from "./helper_environment.ts";
import type { Machine } from "./operations/operation.ts";
import { OPERATIONS } from "./operations/operations.ts";
import { serveHelper } from "./serve_helper.ts";

const IS_WINDOWS = SYSTEM === "windows";

/**
 * A terminal sends these to its whole group, and so to the helper as well as to the client, which
 * may still need it: only the end of the input counts.
 */
const IGNORED: readonly Deno.Signal[] = forSystem<Deno.Signal[]>({
  linux: ["SIGINT", "SIGHUP", "SIGQUIT"],
  windows: ["SIGINT", "SIGBREAK"],
});

/** @returns The exit code. */
export async function runHelper(): Promise<number> {
  const refusal = whyNot();
  if (refusal !== undefined) {
    tell([refusal.message, refusal.hint ?? ""]);
    return refusal.exitCode;
  }
  for (const name of IGNORED) Deno.addSignalListener(name, () => {});
  if (IS_WINDOWS) ignoreCtrlC();
  const ending = new AbortController();
  if (!IS_WINDOWS) { // which has no such signal: it ends programs at once
    Deno.addSignalListener("SIGTERM", () => ending.abort(new Cancelled()));
  }
  // a defect must not cost the undo
  const onUncaught = (event: PromiseRejectionEvent | ErrorEvent) => {
    event.preventDefault();
    const error = event instanceof ErrorEvent ? event.error : event.reason;
    if (ending.signal.aborted) {
      tell([`The root helper failed unexpectedly: ${String(error)}`]);
    }
    ending.abort(error);
  };
  globalThis.addEventListener("unhandledrejection", onUncaught);
  globalThis.addEventListener("error", onUncaught);
  clearEnvironment();
  return await serveHelper({
    input: Deno.stdin.readable,
    output: Deno.stdout.writable,
    machine: MACHINE,
    journalFolder: HELPER_FOLDER,
    signal: ending.signal,
    operations: OPERATIONS,
    onUnheard: tell,
  });
}

const MACHINE: Machine = {
  root: "",
  // out of the terminal's group: a Ctrl-C must not kill the program that undoes something; programs
  // of Windows inherit that they ignore it, and PowerShell does not run without a console
  exec: (command, args, options) =>
    exec(command, args, { ...options, detached: !IS_WINDOWS }),
};

function whyNot(): KtctlError | undefined {
  if (!hasRootRights()) {
    return new PermissionError("ROOT_NEEDED", "The root helper needs root", {
      hint: "ktctl starts it by itself; there is no need to run it.",
    });
  }
  if (Deno.stdin.isTerminal()) {
    return new UsageError(
      "HELPER_PROTOCOL",
      "The root helper talks to ktctl, not to a terminal",
      { hint: "ktctl starts it by itself; there is no need to run it." },
    );
  }
}

function tell(lines: readonly string[]): void {
  const text = lines.filter((line) => line !== "").map((line) =>
    `ktctl: ${terminalText(line)}\n`
  ).join("");
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  } catch {
    // nobody is there
  }
}
