import type { Duplex } from "node:stream";
import { LinkError } from "../../core/errors.ts";
import { ChannelStream } from "./channel_stream.ts";
import type { Origin } from "../wire/laptop_end.ts";
import type { PacketStream } from "./packet_stream.ts";
import type { PodEnd, PodRequests } from "../wire/pod_end.ts";
import type { Connection } from "./ssh2.ts";

/** The pod's end of an SSH connection that is logged in. */
export class SshPodEnd implements PodEnd {
  readonly closed: Promise<unknown>;
  readonly #connection: Connection;
  readonly #packets: PacketStream;
  /** By port: the address that the client named, which its ssh2 wants to see again. */
  readonly #bindAddresses = new Map<number, string>();

  constructor(connection: Connection, packets: PacketStream) {
    this.#connection = connection;
    this.#packets = packets;
    this.closed = new Promise((resolve) => packets.once("close", resolve));
  }

  get received(): number {
    return this.#packets.received;
  }

  get isClosed(): boolean {
    return this.#packets.destroyed;
  }

  serve({ onAttach, onDetach, onDial }: PodRequests): void {
    this.#connection.on("request", (accept, reject, name, info) => {
      const { bindAddr, bindPort } = info as {
        bindAddr: string;
        bindPort: number;
      };
      let isDone = false;
      if (name === "tcpip-forward") {
        isDone = onAttach(bindPort);
        if (isDone) this.#bindAddresses.set(bindPort, bindAddr);
      } else if (name === "cancel-tcpip-forward") {
        this.#bindAddresses.delete(bindPort);
        isDone = onDetach(bindPort);
      }
      if (isDone) accept?.();
      else reject?.();
    });
    this.#connection.on("tcpip", (accept, reject, info) => {
      onDial({
        host: info.destIP,
        port: info.destPort,
        accept: () => new ChannelStream(accept(), this.#packets),
        refuse: (reason) => this.#refuse(reject, reason),
      });
    });
  }

  async offer(port: number, { host, port: from }: Origin): Promise<Duplex> {
    const address = this.#bindAddresses.get(port);
    if (address === undefined) {
      throw new LinkError(
        "PORT_NOT_ATTACHED",
        `Client does not serve port "${port}"`,
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
    this.#connection.forwardOut(address, port, host, from, (error, channel) => {
      if (error) reject(error);
      else resolve(new ChannelStream(channel, this.#packets));
    });
    return await promise;
  }

  destroy(): void {
    this.#packets.destroy();
  }

  /**
   * ssh2 has no way to give a refused channel a description, and the client wants to tell a closed
   * port from an unknown name. Noticed by: "a dial that fails says why".
   */
  #refuse(reject: () => void, description: string): void {
    if (this.isClosed) return;
    const { _protocol: protocol } = this.#connection as unknown as {
      _protocol: Protocol;
    };
    const original = protocol.channelOpenFail;
    protocol.channelOpenFail = (channel, reason) =>
      original.call(protocol, channel, reason, description);
    reject();
    protocol.channelOpenFail = original;
  }
}

interface Protocol {
  channelOpenFail(channel: number, reason: number, description: string): void;
}
