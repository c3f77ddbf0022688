import { lookup } from "node:dns/promises";
import type { Duplex } from "node:stream";
import { frame, FrameReader } from "../wire/frame_reader.ts";
import { LinkError, messageOf } from "../../core/errors.ts";
import { PeerSocket } from "../wire/peer_socket.ts";
import type { Opened } from "./opened.ts";

/** Datagrams that wait for the link; what comes beyond is dropped, as a router would. */
const QUEUE_BYTES = 256 * 1024;
/** DNS is one question and one answer. */
const DNS_PORT = 53;
const DNS_IDLE_SHARE = 1 / 6;

export interface DatagramTarget {
  readonly host: string;
  readonly port: number;
  /** Without a datagram either way for so long it is ended. A sixth of it at port 53. */
  readonly idleMs: number;
}

/** Throws `LinkError` with the system's code. */
export async function openDatagrams(target: DatagramTarget): Promise<Opened> {
  const { host, port, idleMs } = target;
  const { address } = await lookup(host).catch((error) => {
    throw new LinkError(error.code ?? "ENOTFOUND", messageOf(error));
  });
  const socket = await PeerSocket.open({ address, port });
  const ownIdleMs = port === DNS_PORT ? idleMs * DNS_IDLE_SHARE : idleMs;
  return {
    serve: (stream) => serve(socket, stream, ownIdleMs),
    [Symbol.dispose]: () => socket[Symbol.dispose](),
  };
}

function serve(socket: PeerSocket, stream: Duplex, idleMs: number): void {
  const idle = setTimeout(() => stream.end(), idleMs);
  const frames = new FrameReader((data) => {
    idle.refresh();
    // One that is too long for UDP fails alone.
    socket.send(data);
  });
  stream.on("data", (chunk: Uint8Array) => frames.push(chunk));
  stream.once("end", () => stream.destroy());
  stream.once("close", () => {
    clearTimeout(idle);
    socket[Symbol.dispose]();
  });
  socket.onMessage = (data) => {
    if (stream.writableEnded) return;
    idle.refresh();
    if (stream.writableLength < QUEUE_BYTES) stream.write(frame(data));
  };
  // The peer's refusal, which Deno does not tell yet: `PeerSocket`.
  socket.onError = () => stream.destroy();
}
