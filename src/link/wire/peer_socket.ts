import { randomInt } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIP, isIPv6 } from "node:net";
import { canonicalAddress } from "../../core/canonical_address.ts";
import { DatagramSender } from "./datagram_sender.ts";
import { LinkError, messageOf } from "../../core/errors.ts";

/** Both ends included. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export interface PeerSocketOptions {
  /** An address, no name; with a zone where it is on one link alone. */
  readonly address: string;
  readonly port: number;
  /** Own ports, by which a firewall knows us. @default any that is free */
  readonly localPorts?: PortRange | undefined;
  /** Which address of this machine leads to another; without one, any does. */
  readonly localAddressTo?:
    | ((address: string) => string | undefined)
    | undefined;
}

/** So many of the own ports one after the other may be taken. */
const MOST_ATTEMPTS = 8;

/**
 * A UDP socket that speaks with one peer. What others send is dropped here: Deno (2.9.6) does not
 * connect the socket in the kernel, which would keep it away, and would tell of a peer that refuses
 * (denoland/deno#36492). Noticed by: "Deno lets strangers send to a connected UDP socket". It is
 * bound to the address that leads to the peer, so that from elsewhere it is not even reached.
 */
export class PeerSocket implements Disposable {
  onMessage: (data: Uint8Array) => void = () => {};
  onError: (error: Error) => void = () => {};
  readonly #socket: Socket;
  readonly #sender: DatagramSender;

  private constructor(socket: Socket, peer: { address: string; port: number }) {
    this.#socket = socket;
    this.#sender = new DatagramSender(socket);
    socket.on("error", (error) => this.onError(error));
    socket.on("message", (data, from) => {
      if (from.port !== peer.port) return;
      if (canonicalAddress(from.address) !== peer.address) return;
      this.onMessage(data);
    });
  }

  /** @throws {LinkError} its code is the system's. */
  static async open(options: PeerSocketOptions): Promise<PeerSocket> {
    const { port, localPorts } = options;
    const canonical = reached(canonicalAddress(options.address));
    if (isIP(canonical) === 0) {
      throw new LinkError("EINVAL", `"${options.address}" is no address`);
    }
    const address = options.address.includes("%") ? options.address : canonical;
    const local = localAddress(address, options);
    const ports = localPorts && fromRandom(localPorts);
    for (let attempt = 0;; attempt++) {
      const socket = createSocket({
        type: isIPv6(address) ? "udp6" : "udp4",
        ipv6Only: true,
      });
      try {
        socket.bind(ports?.[attempt] ?? 0, local);
        await once(socket, "listening");
        socket.connect(port, address);
        await once(socket, "connect");
        return new PeerSocket(socket, { address: canonical, port });
      } catch (error) {
        socket.close();
        const { code = "EINVAL" } = error as { code?: string };
        const isTaken = code === "EADDRINUSE";
        if (isTaken && ports?.[attempt + 1] !== undefined) continue;
        throw new LinkError(code, messageOf(error), { cause: error });
      }
    }
  }

  get localAddress(): { address: string; port: number } {
    return this.#socket.address();
  }

  /** What cannot be sent is lost. */
  send(data: Uint8Array): void {
    this.#sender.send(data);
  }

  [Symbol.dispose](): void {
    this.#sender.close();
  }
}

/** Who sends to no address means this machine, and its answers come from there. */
function reached(address: string): string {
  return { "0.0.0.0": "127.0.0.1", "::": "::1" }[address] ?? address;
}

/** Not to be guessed. */
export function randomPort({ from, to }: PortRange): number {
  return randomInt(from, to + 1);
}

/** Some ports of a range, one after the other from one that cannot be guessed. */
function fromRandom(range: PortRange): number[] {
  const count = range.to - range.from + 1;
  const first = randomPort(range) - range.from;
  return Array.from(
    { length: Math.min(count, MOST_ATTEMPTS) },
    (_, n) => range.from + (first + n) % count,
  );
}

function localAddress(
  peer: string,
  { localAddressTo }: PeerSocketOptions,
): string {
  if (peer.startsWith("127.")) return "127.0.0.1";
  if (canonicalAddress(peer) === "::1") return "::1";
  return localAddressTo?.(peer) ?? (isIPv6(peer) ? "::" : "0.0.0.0");
}
