// A tiny real DNS server on the loopback, UDP and TCP on one port.
import type { Socket } from "node:net";
import { frame, FrameReader } from "../../../../src/link/wire/frame_reader.ts";
import { listen, portOf } from "./agent_process.ts";
import { udpPeer } from "./udp_peer.ts";

export interface DnsServer extends AsyncDisposable {
  /** As a resolv.conf names it. */
  readonly nameserver: string;
  readonly questions: { name: string; over: "udp" | "tcp" }[];
}

/** What to answer: address records, a response code, or nothing at all. */
export type Answer =
  | { readonly addresses: readonly string[] }
  | { readonly code: number }
  | "silence";

export async function dnsServer(
  answer: (name: string) => Answer,
): Promise<DnsServer> {
  const questions: DnsServer["questions"] = [];
  const respond = (query: Uint8Array, over: "udp" | "tcp") => {
    const name = questionOf(query);
    questions.push({ name, over });
    const message = responseTo(query, answer(name));
    const isCut = over === "udp" && message !== undefined &&
      message.length > 512;
    return isCut ? cut(message) : message;
  };
  // TCP first: its ports are scarce where many connections are open
  const tcp = await listen((socket: Socket) => {
    const frames = new FrameReader((query) => {
      const message = respond(query, "tcp");
      if (message !== undefined) socket.write(frame(message));
    });
    socket.on("data", (chunk: Uint8Array) => frames.push(chunk));
    socket.once("end", () => socket.end());
  });
  const udp = await udpPeer((query, reply) => {
    const message = respond(query, "udp");
    if (message !== undefined) reply(message);
  }, { port: portOf(tcp) });
  return {
    questions,
    nameserver: `[127.0.0.1]:${udp.port}`,
    async [Symbol.asyncDispose]() {
      await udp[Symbol.asyncDispose]();
      await tcp[Symbol.asyncDispose]();
    },
  };
}

/** A question for the address of a name. */
export function dnsQuery(id: number, name: string): Uint8Array {
  const labels = name.split(".").flatMap((label) => [
    label.length,
    ...new TextEncoder().encode(label),
  ]);
  const header = [id >> 8, id & 0xff, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  return Uint8Array.from([...header, ...labels, 0, 0, 1, 0, 1]);
}

/** Id, response code and addresses of a response made here. */
export function readResponse(message: Uint8Array) {
  const view = new DataView(message.buffer, message.byteOffset);
  const count = view.getUint16(6);
  const addresses: string[] = [];
  for (let at = message.length - 16 * count; addresses.length < count;) {
    addresses.push(message.subarray(at + 12, at + 16).join("."));
    at += 16;
  }
  return { id: view.getUint16(0), code: message[3]! & 0xf, addresses };
}

function questionOf(query: Uint8Array): string {
  const labels: string[] = [];
  for (let at = 12; query[at] !== 0; at += query[at]! + 1) {
    const label = query.subarray(at + 1, at + 1 + query[at]!);
    labels.push(new TextDecoder().decode(label));
  }
  return labels.join(".");
}

function responseTo(query: Uint8Array, answer: Answer): Uint8Array | undefined {
  if (answer === "silence") return undefined;
  const addresses = "addresses" in answer ? answer.addresses : [];
  const records = addresses.flatMap((address) => [
    ...[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4],
    ...address.split(".").map(Number),
  ]);
  const message = Uint8Array.from([...query, ...records]);
  message[2] = 0x81;
  message[3] = 0x80 | ("code" in answer ? answer.code : 0);
  message[6] = addresses.length >> 8;
  message[7] = addresses.length & 0xff;
  return message;
}

function cut(message: Uint8Array): Uint8Array {
  const head = message.slice(0, questionEnd(message));
  head[2] = head[2]! | 0x02;
  head[6] = head[7] = 0;
  return head;
}

function questionEnd(message: Uint8Array): number {
  let at = 12;
  while (message[at] !== 0) at += message[at]! + 1;
  return at + 5;
}
