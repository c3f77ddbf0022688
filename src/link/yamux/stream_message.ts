/** What is said first on a stream, in each direction: a message of JSON after its length, then bytes as they are. */
import type { Duplex } from "node:stream";
import * as v from "valibot";
import { LinkError } from "../../core/errors.ts";
import { readJson } from "../../core/read_json.ts";
import { frame } from "../wire/frame_reader.ts";

/** No host, reason or name is longer. */
const MOST_BYTES = 4096;
const LENGTH_BYTES = 2;
/** So long a stream may be open without having said what it is for. */
export const REQUEST_TIMEOUT_MS = 30_000;

const port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535));
const host = v.pipe(v.string(), v.maxLength(1024));

/** From the laptop, of what a stream is for. */
export const request = v.variant("kind", [
  v.object({ kind: v.literal("dial"), host, port }),
  v.object({ kind: v.literal("attach"), port }),
  v.object({ kind: v.literal("detach"), port }),
  /** The first of all: as whom. */
  v.object({
    kind: v.literal("login"),
    name: v.pipe(v.string(), v.maxLength(256)),
  }),
]);
export type Request = v.InferOutput<typeof request>;

/** From the pod: a connection came to an exposed port. */
export const offer = v.object({
  kind: v.literal("connection"),
  port,
  origin: v.object({ host, port }),
});
export type Offer = v.InferOutput<typeof offer>;

/** The answer to each of them. */
export const answer = v.object({
  /** Why not: begins with the system's error code. Missing where the stream is taken. */
  refused: v.optional(v.pipe(v.string(), v.maxLength(MOST_BYTES))),
});
export type Answer = v.InferOutput<typeof answer>;

export function sendMessage(
  stream: Duplex,
  message: Request | Offer | Answer,
): void {
  const bytes = new TextEncoder().encode(JSON.stringify(message));
  stream.write(frame(bytes));
}

/**
 * Says what a stream is for, and waits for the answer; a stream that is refused is destroyed.
 *
 * @throws {LinkError} `REFUSED` with the other end's reason, `LINK_PROTOCOL`, or the stream's own error.
 */
export async function ask<S extends Duplex>(
  stream: S,
  message: Request | Offer,
): Promise<S> {
  try {
    sendMessage(stream, message);
    const { refused } = await readMessage(stream, answer);
    if (refused === undefined) return stream;
    throw new LinkError("REFUSED", refused);
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

/** After this nothing is said or heard. */
export function sendLastMessage(stream: Duplex, message: Answer): void {
  sendMessage(stream, message);
  stream.end(() => stream.destroy());
}

/**
 * The first message on a stream. What comes after it stays there to be read.
 *
 * @param timeoutMs A stream on which it has not come by then is destroyed.
 * @throws {LinkError} `LINK_PROTOCOL`, or the stream's own error.
 */
export async function readMessage<T>(
  stream: Duplex,
  schema: v.GenericSchema<unknown, T>,
  timeoutMs?: number,
): Promise<T> {
  const timer = timeoutMs &&
    setTimeout(() => stream.destroy(), timeoutMs);
  try {
    return await readFirst(stream, schema);
  } finally {
    clearTimeout(timer);
  }
}

async function readFirst<T>(
  stream: Duplex,
  schema: v.GenericSchema<unknown, T>,
): Promise<T> {
  const [high, low] = await readBytes(stream, LENGTH_BYTES);
  const length = high! << 8 | low!;
  if (length === 0 || length > MOST_BYTES) {
    throw broken(`a message of ${length} bytes`);
  }
  const text = new TextDecoder().decode(await readBytes(stream, length));
  const read = readJson(text, schema, { maxChars: MOST_BYTES });
  if (read.reason !== undefined) throw broken(read.reason);
  return read.value;
}

async function readBytes(stream: Duplex, count: number): Promise<Uint8Array> {
  for (;;) {
    const bytes: Uint8Array | null = stream.read(count);
    if (bytes?.length === count) return bytes;
    if (bytes !== null || stream.readableEnded) throw broken("no message");
    if (stream.destroyed) {
      throw stream.errored ?? broken("the stream was closed before it");
    }
    await change(stream);
  }
}

/** Something came, or nothing will come. */
async function change(stream: Duplex): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const events = ["readable", "end", "close"];
  for (const event of events) stream.on(event, resolve);
  await promise;
  for (const event of events) stream.off(event, resolve);
}

function broken(reason: string): LinkError {
  return new LinkError(
    "LINK_PROTOCOL",
    `Cannot read what the other end says first on a stream: ${reason}`,
  );
}
