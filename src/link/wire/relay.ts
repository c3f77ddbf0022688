import { Socket } from "node:net";
import type { Duplex } from "node:stream";

/**
 * Copies both ways until both directions have ended. A half-close is passed on as one, a reset or
 * an error on one side resets the other.
 *
 * @returns when both streams are closed. It never rejects.
 */
export async function relay(a: Duplex, b: Duplex): Promise<void> {
  const closed = Promise.all([closeOf(a), closeOf(b)]);
  a.once("close", () => isComplete(a) || reset(b));
  b.once("close", () => isComplete(b) || reset(a));
  // Whoever failed is destroyed by Node's streams themselves, and "close" follows.
  a.on("error", ignore);
  b.on("error", ignore);
  if (a.destroyed) reset(b);
  else if (b.destroyed) reset(a);
  else {
    a.pipe(b);
    b.pipe(a);
  }
  await closed;
}

/** Ends a connection so that the peer sees a reset. What was already ended is closed quietly. */
export function reset(stream: Duplex): void {
  if (stream.destroyed) return;
  if (stream instanceof Socket && !stream.writableEnded) {
    stream.resetAndDestroy();
  } else stream.destroy();
}

function isComplete(stream: Duplex): boolean {
  return stream.readableEnded && stream.writableFinished && !stream.errored;
}

function closeOf(stream: Duplex): Promise<void> {
  if (stream.closed) return Promise.resolve();
  return new Promise((resolve) => stream.once("close", resolve));
}

function ignore(): void {}
