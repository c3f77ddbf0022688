import assert from "node:assert/strict";
import type { Duplex } from "node:stream";

const MIB = 1024 * 1024;
/** As much as a test's pod sends, once it may. */
export const FLOOD_BYTES = 64 * MIB;

/** Whoever sends into the stream is held back while nobody reads, and all of it comes in the end. */
export async function assertHeldBack(
  stream: Duplex,
  sent: { readonly bytes: number },
): Promise<void> {
  // Nothing says "no more will come": it is settled when a while brings nothing new.
  let before = -1;
  while (before !== sent.bytes) {
    before = sent.bytes;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  // What is left is in the kernel's buffers on both sides.
  assert(sent.bytes < 24 * MIB, `${sent.bytes} bytes were taken unread`);
  let received = 0;
  for await (const chunk of stream) received += chunk.length;
  assert.equal(received, FLOOD_BYTES);
}
