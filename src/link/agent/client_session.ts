import type { Duplex } from "node:stream";
import { ChannelStream } from "../wire/channel_stream.ts";
import { LinkError, messageOf } from "../../core/errors.ts";
import type { PacketStream } from "../wire/packet_stream.ts";
import { watchSilence } from "../wire/silence.ts";
import type { Connection } from "../wire/ssh2.ts";
import type { LinkServices } from "./link_services.ts";
import type { Opened } from "./opened.ts";
import { logLine } from "./log_line.ts";
import type { PortClient } from "./port_server.ts";
import type { PortTable } from "./port_table.ts";

/** What a client session works with. */
export interface ClientSessionOptions {
  /** What it logged in as. */
  readonly name: string;
  readonly ports: PortTable;
  readonly services: LinkServices;
}

/** One authenticated client: the ports it holds, and the connections it asks for. */
export class ClientSession implements PortClient {
  readonly #connection: Connection;
  readonly #packets: PacketStream;
  readonly #name: string;
  readonly #ports: PortTable;
  readonly #services: LinkServices;
  /** By port: the address that the client named, which its ssh2 wants to see again. */
  readonly #bindAddresses = new Map<number, string>();
  readonly #gone = new AbortController();

  constructor(
    connection: Connection,
    packets: PacketStream,
    { name, ports, services }: ClientSessionOptions,
  ) {
    this.#connection = connection;
    this.#packets = packets;
    this.#name = name;
    this.#ports = ports;
    this.#services = services;
    connection.on("request", (accept, reject, name, info) => {
      const { bindAddr, bindPort } = info as {
        bindAddr: string;
        bindPort: number;
      };
      const done = name === "tcpip-forward"
        ? this.#attach(bindAddr, bindPort)
        : name === "cancel-tcpip-forward" && this.#detach(bindPort);
      if (done) accept?.();
      else reject?.();
    });
    connection.on(
      "tcpip",
      (accept, reject, info) => this.#dial(accept, reject, info),
    );
  }

  /** Gives up everything when the connection ends, or when it is silent for so long. */
  watch(timeoutMs: number): void {
    this.#ports.enter(this, this.#name);
    const silence = watchSilence(() => this.#packets.received, {
      silentMs: timeoutMs,
      onSilence: () => {
        logLine(`client silent for ${timeoutMs} ms: dropped`);
        this.#packets.destroy();
      },
    });
    this.#packets.once("close", () => {
      silence[Symbol.dispose]();
      this.#gone.abort();
      this.#ports.leave(this);
    });
  }

  get isGone(): boolean {
    return this.#packets.destroyed;
  }

  openChannel(
    port: number,
    origin: { host: string; port: number },
  ): Promise<Duplex> {
    const address = this.#bindAddresses.get(port);
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
    if (address === undefined) {
      reject(
        new LinkError(
          "PORT_NOT_ATTACHED",
          `Client does not serve port "${port}"`,
        ),
      );
      return promise;
    }
    this.#connection.forwardOut(
      address,
      port,
      origin.host,
      origin.port,
      (error, channel) => {
        if (error) reject(error);
        else resolve(new ChannelStream(channel, this.#packets));
      },
    );
    return promise;
  }

  #attach(address: string, port: number): boolean {
    if (!this.#ports.attach(port, this)) return false;
    this.#bindAddresses.set(port, address);
    return true;
  }

  #detach(port: number): boolean {
    this.#bindAddresses.delete(port);
    return this.#ports.detach(port, this);
  }

  async #dial(
    accept: () => Duplex,
    reject: () => void,
    info: { destIP: string; destPort: number },
  ): Promise<void> {
    let opened: Opened;
    try {
      const target = { host: info.destIP, port: info.destPort };
      opened = await this.#services.open(target, this.#gone.signal);
    } catch (error) {
      return this.#rejectWith(
        reject,
        `${(error as LinkError).code}: ${messageOf(error)}`,
      );
    }
    if (this.#gone.signal.aborted) return opened[Symbol.dispose]();
    opened.serve(new ChannelStream(accept(), this.#packets));
  }

  /**
   * ssh2 has no way to give a refused channel a description, and the client wants to tell a closed
   * port from an unknown name. Noticed by: "a dial that fails says why".
   */
  #rejectWith(reject: () => void, description: string): void {
    if (this.#gone.signal.aborted) return;
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
