import { createSocket, type Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { DatagramSender } from "../core/datagram_sender.ts";
import { frame, FrameReader } from "../core/frame_reader.ts";
import { LinkError, messageOf } from "../core/errors.ts";
import type { Opened } from "./link_services.ts";

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
  const { address, family } = await lookup(host).catch((error) => {
    throw new LinkError(error.code ?? "ENOTFOUND", messageOf(error));
  });
  const socket = createSocket(family === 6 ? "udp6" : "udp4");
  try {
    socket.connect(port, address);
    await once(socket, "connect");
  } catch (error) {
    socket.close();
    const { code = "EINVAL" } = error as { code?: string };
    throw new LinkError(code, messageOf(error));
  }
  const ownIdleMs = port === DNS_PORT ? idleMs * DNS_IDLE_SHARE : idleMs;
  return {
    serve: (stream) =>
      serve(socket, stream, { address, port, idleMs: ownIdleMs }),
    [Symbol.dispose]: () => socket.close(),
  };
}

function serve(
  socket: Socket,
  stream: Duplex,
  { address, port, idleMs }: { address: string; port: number; idleMs: number },
): void {
  const isPeer = (from: { address: string; port: number }) =>
    from.port === port && canonical(from.address) === canonical(address);
  const sender = new DatagramSender(socket);
  const idle = setTimeout(() => stream.end(), idleMs);
  const frames = new FrameReader((data) => {
    idle.refresh();
    // One that is too long for UDP fails alone; the peer's refusal comes as an event.
    sender.send(data);
  });
  stream.on("data", (chunk: Uint8Array) => frames.push(chunk));
  stream.once("end", () => stream.destroy());
  stream.once("close", () => {
    clearTimeout(idle);
    sender.close();
  });
  socket.on("message", (data, from) => {
    // Deno (2.9.6) does not connect the socket in the kernel, which would keep others' datagrams
    // away and tell of an ICMP port unreachable: denoland/deno#36492. Until then nothing is ever
    // refused. Noticed by: "Deno does not tell a UDP socket that its peer refuses".
    if (!isPeer(from) || stream.writableEnded) return;
    idle.refresh();
    if (stream.writableLength < QUEUE_BYTES) stream.write(frame(data));
  });
  socket.on("error", () => stream.destroy());
}

/** One spelling for each IPv6 address. */
function canonical(address: string): string {
  return address.includes(":")
    ? new URL(`http://[${address.split("%")[0]}]`).hostname
    : address;
}
