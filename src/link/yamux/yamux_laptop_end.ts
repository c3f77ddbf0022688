import type { Duplex } from "node:stream";
import type { LaptopEnd, OfferedConnection } from "../wire/laptop_end.ts";
import {
  ask,
  offer,
  readMessage,
  type Request,
  REQUEST_TIMEOUT_MS,
  sendLastMessage,
  sendMessage,
} from "./stream_message.ts";
import { YamuxSession } from "./yamux_session.ts";
import type { YamuxStream } from "./yamux_stream.ts";

/** The laptop's end of a yamux connection whose other side has been verified. */
export class YamuxLaptopEnd implements LaptopEnd {
  onConnection: (offered: OfferedConnection) => void = (one) => one.refuse();
  heardAt = Date.now();
  readonly #session: YamuxSession;
  readonly #requestTimeoutMs: number;
  readonly #pinging: ReturnType<typeof setInterval>;

  constructor(
    carrier: Duplex,
    { pingIntervalMs = 1000, requestTimeoutMs = REQUEST_TIMEOUT_MS }: {
      pingIntervalMs?: number;
      requestTimeoutMs?: number;
    } = {},
  ) {
    this.#requestTimeoutMs = requestTimeoutMs;
    this.#session = new YamuxSession(carrier, {
      isClient: true,
      onStream: (stream) => void this.#onStream(stream),
    });
    this.#pinging = setInterval(() => this.#session.ping(), pingIntervalMs);
    void this.closed.then(() => clearInterval(this.#pinging));
  }

  get closed(): Promise<Error | undefined> {
    return this.#session.closed;
  }

  get received(): number {
    return this.#session.received;
  }

  get unanswered(): number {
    return this.#session.unanswered;
  }

  get isClosed(): boolean {
    return this.#session.isClosed;
  }

  /** The first request of all. Settles when the agent has let this laptop in. */
  async login(name: string): Promise<void> {
    (await this.#ask({ kind: "login", name })).destroy();
  }

  dial(host: string, port: number): Promise<Duplex> {
    return this.#ask({ kind: "dial", host, port });
  }

  async attach(port: number): Promise<void> {
    (await this.#ask({ kind: "attach", port })).destroy();
  }

  async detach(port: number): Promise<void> {
    if (this.isClosed) return;
    // A refusal means that a newer client holds the port, which is as good.
    await this.#ask({ kind: "detach", port })
      .then((stream) => stream.destroy(), () => {});
  }

  end(): void {
    this.#session.end();
  }

  destroy(reason?: Error): void {
    this.#session.destroy(reason);
  }

  #ask(request: Request): Promise<YamuxStream> {
    return ask(this.#session.open(), request);
  }

  async #onStream(stream: YamuxStream): Promise<void> {
    let told;
    try {
      told = await readMessage(stream, offer, this.#requestTimeoutMs);
    } catch {
      return void stream.destroy();
    }
    const { port, origin } = told;
    this.onConnection({
      port,
      origin,
      accept() {
        sendMessage(stream, {});
        return stream;
      },
      refuse() {
        sendLastMessage(stream, { refused: "ECONNREFUSED: not taken" });
      },
    });
  }
}
