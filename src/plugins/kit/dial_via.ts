/** How the kit reaches the cluster by a plugin that captures no addresses: as an application would. */
import { once } from "node:events";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { LinkError, UsageError } from "../../core/errors.ts";
import { hostPort } from "../../core/host_port.ts";
import { dial } from "../../link/wire/dial.ts";
import type { EchoTarget } from "./testing_echo.ts";

/** Nobody captures what is refused: it may be lost without a word. */
const TIMEOUT_MS = 2_000;
const MAX_ANSWER = 16 * 1024;

/**
 * A way to dial by `via`: `http://host:port` is a proxy that knows CONNECT, `socks5://host:port` one of
 * SOCKS5, `tcp://host:port` leads to one target, whichever. Without it the address itself is dialled.
 *
 * @throws {UsageError} `FLAG_INVALID`
 */
export function dialVia(
  via: string | undefined,
): (target: EchoTarget) => Promise<Duplex> {
  if (via === undefined) {
    return (target) => dial({ ...target, timeoutMs: TIMEOUT_MS });
  }
  const url = URL.parse(via);
  const connect = CONNECT[url?.protocol ?? ""];
  // a URL leaves out what is the port anyway
  const port = Number(url?.port || (url?.protocol === "http:" ? 80 : 0));
  if (url === null || connect === undefined || port === 0) {
    throw new UsageError("FLAG_INVALID", `Cannot read --via "${via}"`, {
      hint: "Write http://, socks5:// or tcp://, and host:port.",
    });
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return async (target) => {
    const socket = await dial({ host, port, timeoutMs: TIMEOUT_MS });
    try {
      return await connect(socket, target);
    } catch (error) {
      socket.destroy();
      throw error;
    }
  };
}

const CONNECT: Readonly<
  Record<string, (socket: Socket, target: EchoTarget) => Promise<Socket>>
> = {
  "tcp:": (socket) => Promise.resolve(socket),
  "http:": connectHttp,
  "socks5:": connectSocks,
};

async function connectHttp(
  socket: Socket,
  { host, port }: EchoTarget,
): Promise<Socket> {
  const authority = hostPort(host, port);
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  let answer = Buffer.alloc(0);
  while (!answer.includes("\r\n\r\n")) {
    answer = Buffer.concat([answer, await nextBytes(socket)]);
    if (answer.length > MAX_ANSWER) throw refused("its answer has no end");
  }
  const end = answer.indexOf("\r\n\r\n") + 4;
  const [status = ""] = answer.toString("latin1").split("\r\n");
  if (!/^HTTP\/1\.[01] 2\d\d/.test(status)) throw refused(status);
  if (end < answer.length) socket.unshift(answer.subarray(end));
  return socket;
}

async function nextBytes(socket: Socket): Promise<Buffer> {
  for (;;) {
    const bytes: Buffer | null = socket.read();
    if (bytes !== null) return bytes;
    if (socket.readableEnded || socket.destroyed) throw refused("it ended");
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    await Promise.race([
      once(socket, "readable", { signal }),
      once(socket, "end", { signal }),
      once(socket, "close", { signal }),
    ]);
  }
}

async function connectSocks(
  socket: Socket,
  destination: EchoTarget,
): Promise<Socket> {
  const { SocksClient } = await import("socks");
  await SocksClient.createConnection({
    command: "connect",
    destination: { ...destination },
    existing_socket: socket,
    proxy: { host: "127.0.0.1", port: 1, type: 5 }, // not dialled
    timeout: TIMEOUT_MS,
  });
  return socket;
}

function refused(reason: string): LinkError {
  return new LinkError("DIAL_REFUSED", `The proxy did not connect: ${reason}`);
}
