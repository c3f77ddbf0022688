import { once } from "node:events";
import type { Socket } from "node:net";
import { Cancelled, LinkError } from "../../core/errors.ts";

/**
 * The next bytes of a socket. What comes after them stays in the socket, so that nothing sent early
 * is lost to whoever reads on.
 *
 * @throws {LinkError} `SOCKS_CUT` where the connection ends before.
 * @throws {Cancelled} by `signal`.
 */
export async function readExactly(
  socket: Socket,
  length: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  while (!signal.aborted) {
    const bytes: Uint8Array | null = socket.read(length);
    if (bytes?.length === length) return bytes;
    // at its end a stream gives what it has, though it is less
    if (bytes !== null || socket.readableEnded || socket.destroyed) throw cut();
    const stop = new AbortController();
    const waiting = { signal: AbortSignal.any([signal, stop.signal]) };
    await Promise.race(
      ["readable", "end", "close"].map((event) => once(socket, event, waiting)),
    ).catch(() => {});
    stop.abort();
  }
  throw new Cancelled();
}

function cut(): LinkError {
  return new LinkError("SOCKS_CUT", "Client ended the connection too early");
}
