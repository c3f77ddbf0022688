import type { Duplex } from "node:stream";
import { ChannelStream } from "./channel_stream.ts";
import type { LaptopEnd, OfferedConnection } from "../wire/laptop_end.ts";
import type { PacketStream } from "./packet_stream.ts";
import type { Client } from "./ssh2.ts";

/** The agent listens where its configuration says; the address only has to be the same each time. */
const BIND_ADDRESS = "0.0.0.0";

/** The laptop's end of an SSH connection that is logged in. */
export class SshLaptopEnd implements LaptopEnd {
  onConnection: (offered: OfferedConnection) => void = (one) => one.refuse();
  readonly closed: Promise<Error | undefined>;
  readonly #client: Client;
  readonly #packets: PacketStream;

  constructor(client: Client, packets: PacketStream) {
    this.#client = client;
    this.#packets = packets;
    let cause: Error | undefined;
    client.on("error", (error) => cause ??= error);
    packets.on("error", (error) => cause ??= error);
    this.closed = new Promise((resolve) => {
      const settle = () => resolve(packets.errored ?? cause);
      if (packets.closed) settle();
      else packets.once("close", settle);
    });
    client.on("tcp connection", (details, accept, reject) => {
      this.onConnection({
        port: details.destPort,
        origin: { host: details.srcIP, port: details.srcPort },
        accept: () => new ChannelStream(accept(), packets),
        refuse: () => packets.destroyed ? undefined : reject(),
      });
    });
  }

  get heardAt(): number {
    return this.#packets.heardAt;
  }

  set heardAt(atMs: number) {
    this.#packets.heardAt = atMs;
  }

  get received(): number {
    return this.#packets.received;
  }

  get unanswered(): number {
    return this.#packets.unanswered;
  }

  get isClosed(): boolean {
    return this.#packets.destroyed;
  }

  async dial(host: string, port: number): Promise<Duplex> {
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
    // throws at once where the connection has just ended
    this.#client.forwardOut("127.0.0.1", 0, host, port, (error, channel) => {
      if (error) reject(error);
      else resolve(new ChannelStream(channel, this.#packets));
    });
    return await promise;
  }

  async attach(port: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#client.forwardIn(
      BIND_ADDRESS,
      port,
      (error) => error ? reject(error) : resolve(),
    );
    await promise;
  }

  async detach(port: number): Promise<void> {
    if (this.isClosed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    // A refusal means that a newer client holds the port, which is as good.
    this.#client.unforwardIn(BIND_ADDRESS, port, () => resolve());
    await promise;
  }

  end(): void {
    this.#client.end();
  }

  destroy(reason?: Error): void {
    this.#packets.destroy(reason);
  }
}
