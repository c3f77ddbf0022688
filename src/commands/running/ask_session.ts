/** Speaks to a running session of this user. */
import { createConnection, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { messageOf } from "../../core/errors.ts";
import type { Read } from "../../core/read_json.ts";
import { readSessionStatus, type SessionStatus } from "./session_status.ts";

/** A process that is stopped, or busy to the end of its strength, does not answer. */
const PATIENCE_MS = 2_000;
/** Of one line; more than a status may have. */
const MAX_BYTES = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

/** What it tells of itself, or why it does not. */
export async function askStatus(
  path: string,
  signal: AbortSignal,
): Promise<Read<SessionStatus>> {
  const timeout = AbortSignal.timeout(PATIENCE_MS);
  try {
    const lines = ask(path, "status", AbortSignal.any([signal, timeout]));
    for await (const line of lines) return readSessionStatus(line);
    return { reason: "it said nothing" };
  } catch (error) {
    signal.throwIfAborted();
    return { reason: timeout.aborted ? "it says nothing" : messageOf(error) };
  }
}

/** Whether it does not answer in time, whatever it says. Throws what the connection fails with, and the signal's reason. */
export async function isSilent(
  path: string,
  { signal, patienceMs }: { signal: AbortSignal; patienceMs: number },
): Promise<boolean> {
  const timeout = AbortSignal.timeout(patienceMs);
  try {
    const lines = ask(path, "status", AbortSignal.any([signal, timeout]));
    for await (const _ of lines) return false;
    return false;
  } catch (error) {
    signal.throwIfAborted();
    if (timeout.aborted) return true;
    throw error;
  }
}

/**
 * Ends it, and yields what it says until it has given everything back, a line an event. Throws what the
 * connection fails with, and the signal's reason: the session ends all the same.
 */
export function askEnd(
  path: string,
  signal: AbortSignal,
): AsyncIterable<string> {
  return ask(path, "end", signal);
}

/** A line now, and one after each change of it until it ends. */
export function askChanges(
  path: string,
  signal: AbortSignal,
): AsyncIterable<string> {
  return ask(path, "changes", signal);
}

/** Refuses what somebody asks of it, and yields the event that tells how that went. */
export function askKeep(
  path: string,
  signal: AbortSignal,
): AsyncIterable<string> {
  return ask(path, "keep", signal);
}

async function* ask(
  path: string,
  request: "status" | "changes" | "keep" | "end",
  signal: AbortSignal,
): AsyncGenerator<string> {
  signal.throwIfAborted();
  const socket = createConnection(path);
  const failed = failure(socket, signal);
  failed.catch(() => {}); // read below
  const stop = () => socket.destroy();
  signal.addEventListener("abort", stop, { once: true });
  try {
    bound(socket);
    socket.write(`${JSON.stringify({ request })}\n`);
    const lines = createInterface({ input: socket, crlfDelay: Infinity });
    // the end of what is read closes them, what ends it before that does not
    socket.once("close", () => lines.close());
    yield* lines;
    await failed;
  } finally {
    signal.removeEventListener("abort", stop);
    socket.destroy();
  }
}

/** Settles with the connection: rejects with what it failed with, or the signal's reason. */
async function failure(socket: Socket, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once("error", reject);
  socket.once(
    "close",
    () => signal.aborted ? reject(signal.reason) : resolve(),
  );
  await promise;
}

function bound(socket: Socket): void {
  let bytes = 0;
  socket.on("data", (chunk: Uint8Array) => {
    const end = chunk.lastIndexOf(NEWLINE);
    bytes = end === -1 ? bytes + chunk.length : chunk.length - end - 1;
    if (bytes > MAX_BYTES) socket.destroy(new Error("it says too much"));
  });
}
