import type { Duplex } from "node:stream";

/**
 * Waits until one of two paused streams has bytes to be read or its end, and leaves them there.
 *
 * @returns which of them; `undefined` once one is closed without.
 */
export async function firstToSpeak(
  a: Duplex,
  b: Duplex,
): Promise<Duplex | undefined> {
  const { promise, resolve } = Promise.withResolvers<Duplex | undefined>();
  const watched = [a, b].map((stream) => {
    const onReadable = () => resolve(stream);
    const onClose = () => resolve(undefined);
    if (stream.destroyed) onClose();
    // "readable" does not come again where another listener had it in the same turn
    if (stream.readableLength > 0 || stream.readableEnded) onReadable();
    const events = ["readable", "end"];
    for (const event of events) stream.once(event, onReadable);
    stream.once("close", onClose);
    return () => {
      for (const event of events) stream.off(event, onReadable);
      stream.off("close", onClose);
    };
  });
  try {
    return await promise;
  } finally {
    for (const unwatch of watched) unwatch();
  }
}
