import * as net from "node:net";

/** How long a TCP connection may take to come about. */
const CONNECT_MS = 30_000;
/**
 * After so long another attempt is begun beside it. By itself the system sends a lost SYN again after
 * 1, 3, 7, 15 s: a network that came back right after one would be of no use for as long again.
 */
const ATTEMPT_MS = 2_000;
/** After this much quiet the operating system asks whether the other side is still there. */
const KEEP_ALIVE_MS = 15_000;

/** A TCP connection: the first one that comes about. Rejects with the first attempt's error that does not wait. */
export async function dialDirectly(
  host: string,
  port: number,
): Promise<net.Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<net.Socket>();
  const attempts: net.Socket[] = [];
  const begin = () => {
    const socket = net.connect({ host, port });
    attempts.push(socket);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.once("error", reject);
    socket.once("connect", () => resolve(socket));
  };
  begin();
  const again = setInterval(begin, ATTEMPT_MS);
  // The caller's deadline does not reach here; an attempt nobody waits for must not stay.
  const timer = setTimeout(
    () =>
      reject(Object.assign(new Deno.errors.TimedOut(), { code: "ETIMEDOUT" })),
    CONNECT_MS,
  );
  let socket: net.Socket | undefined;
  try {
    socket = await promise;
    socket.removeListener("error", reject);
    return socket;
  } finally {
    clearInterval(again);
    clearTimeout(timer);
    for (const other of attempts) {
      if (other !== socket) other.destroy();
    }
  }
}
