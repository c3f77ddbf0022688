import { Cancelled, CleanupError } from "../core/errors.ts";
import { forgetJournal } from "../undo/forget_journal.ts";
import { Scope } from "../undo/scope.ts";
import { VERSION } from "../core/version.ts";
import { AnswerWriter } from "./answer_writer.ts";
import { liveSessions } from "../undo/live_sessions.ts";
import {
  openHelperJournal,
  prepareHelperFolder,
  removeHelperFolder,
} from "./helper_folder.ts";
import type { Machine } from "./operations/operation.ts";
import { OpenOperations } from "./operations/open_operations.ts";
import type { AnyOperation } from "./operations/operations.ts";
import { removeLeftLines } from "./operations/left_lines.ts";
import { NO_REQUEST } from "./protocol.ts";
import { readRequests } from "./read_requests.ts";
import { sweepHelperJournals } from "./sweep_helper_journals.ts";
import { toWireError } from "./wire_error.ts";

export interface ServeHelperOptions {
  readonly input: ReadableStream<Uint8Array>;
  readonly output: WritableStream<Uint8Array>;
  readonly machine: Machine;
  readonly journalFolder: string;
  /** Ends the helper as the end of `input` does. A reason that is not `Cancelled` is a defect, which is told. */
  readonly signal: AbortSignal;
  readonly operations: readonly AnyOperation[];
  /** Told what the client, being gone, does not hear: a change that is left, with the command that undoes it. */
  readonly onUnheard: (lines: readonly string[]) => void;
}

/** An operation under way is waited for so long; more than any program that it starts may take. */
const LAST_OPERATION_MS = 35_000;
const LAST_WORD_MS = 2_000;

/**
 * The root helper: does what the client asks for on `input`, and takes all of it back when `input`
 * ends, whatever became of the client. Takes back first what dead helpers have left.
 *
 * @returns The exit code: 0 where everything is taken back. Never throws.
 */
export async function serveHelper(
  options: ServeHelperOptions,
): Promise<number> {
  const answers = new AnswerWriter(options.output);
  let failure: unknown;
  try {
    failure = await serve(options, answers);
  } catch (error) {
    failure = error;
  }
  const error = failure === undefined ? null : toWireError(failure);
  const isHeard = await Promise.race([
    answers.send({ bye: { error } }),
    after(LAST_WORD_MS).then(() => false),
  ]);
  answers.close();
  if (error !== null && !isHeard) {
    options.onUnheard([error.message, ...error.details]);
  }
  return error?.exitCode ?? 0;
}

/** @returns What went wrong: changes that are left come before a broken protocol. */
async function serve(
  options: ServeHelperOptions,
  answers: AnswerWriter,
): Promise<unknown> {
  const { machine, journalFolder } = options;
  await prepareHelperFolder(journalFolder, machine);
  try {
    return await serveJournalled(options, answers);
  } finally {
    removeHelperFolder(journalFolder);
  }
}

async function serveJournalled(
  options: ServeHelperOptions,
  answers: AnswerWriter,
): Promise<unknown> {
  const { machine, journalFolder, operations } = options;
  const steps = operations.flatMap((one) => one.steps);
  const found = await sweepHelperJournals(journalFolder, { steps, machine });
  // a reboot takes the journals with it, and leaves files
  if (liveSessions(journalFolder).length === 0) {
    found.swept.push(...removeLeftLines(machine.root));
  }
  const journal = await openHelperJournal(journalFolder, machine);
  const ending = new AbortController();
  const scope = Scope.root({ world: machine, journal, signal: ending.signal });
  scope.failed.catch(() => {}); // each operation tells of its own
  void answers.send({ hello: { version: VERSION, pid: Deno.pid, ...found } });
  let failure: unknown;
  const open = new OpenOperations({ scope, operations, answers });
  const requests = readRequests(options, (request) => open.handle(request));
  try {
    await requests.ended;
    const { aborted, reason } = options.signal;
    if (aborted && !(reason instanceof Cancelled)) throw reason;
  } catch (error) {
    failure = error;
    void answers.send({ id: NO_REQUEST, error: toWireError(error) });
  }
  ending.abort(new Cancelled("the client has gone"));
  await Promise.race([requests.idle(), after(LAST_OPERATION_MS)]);
  try {
    await scope.dispose();
    forgetJournal(journal);
  } catch (error) {
    // the journal stays, for the next helper; a resource that failed to close goes with the process
    if (!(error instanceof CleanupError)) failure ??= error;
    else failure = error;
  } finally {
    journal.close();
  }
  return failure;
}

async function after(ms: number): Promise<void> {
  await new Promise<void>((resolve) =>
    Deno.unrefTimer(setTimeout(resolve, ms))
  );
}
