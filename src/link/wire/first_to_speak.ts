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
    stream.once("readable", onReadable).once("close", onClose);
    return () => stream.off("readable", onReadable).off("close", onClose);
  });
  try {
    return await promise;
  } finally {
    for (const unwatch of watched) unwatch();
  }
}
