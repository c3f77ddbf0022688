import type { Duplex } from "node:stream";
import { LinkError } from "../../core/errors.ts";
import type { Origin } from "../wire/laptop_end.ts";
import type { PodEnd, PodRequests } from "../wire/pod_end.ts";
import {
  answer,
  readMessage,
  type Request,
  request,
  sendMessage,
} from "./stream_message.ts";
import { YamuxSession } from "./yamux_session.ts";
import type { YamuxStream } from "./yamux_stream.ts";

/** The pod's end of a yamux connection whose other side has been verified. */
export class YamuxPodEnd implements PodEnd {
  /** The name that the laptop gives; rejects where the connection ends before. */
  readonly login: Promise<string>;
  readonly #session: YamuxSession;
  readonly #login = Promise.withResolvers<string>();
  #requests: PodRequests | undefined;

  constructor(carrier: Duplex) {
    this.login = this.#login.promise;
    this.#session = new YamuxSession(carrier, {
      isClient: false,
      onStream: (stream) =>
        this.#onStream(stream).catch(() => stream.destroy()),
    });
    void this.closed.then((error) =>
      this.#login.reject(error ?? new Error("the connection was closed"))
    );
  }

  get closed(): Promise<unknown> {
    return this.#session.closed;
  }

  get received(): number {
    return this.#session.received;
  }

  get isClosed(): boolean {
    return this.#session.isClosed;
  }

  serve(requests: PodRequests): void {
    this.#requests = requests;
  }

  async offer(port: number, origin: Origin): Promise<Duplex> {
    const stream = this.#session.open();
    try {
      sendMessage(stream, { kind: "connection", port, origin });
      const { refused } = await readMessage(stream, answer);
      if (refused === undefined) return stream;
      throw new LinkError("REFUSED", refused);
    } catch (error) {
      stream.destroy();
      throw error;
    }
  }

  destroy(): void {
    this.#session.destroy();
  }

  async #onStream(stream: YamuxStream): Promise<void> {
    let asked: Request;
    try {
      asked = await readMessage(stream, request);
    } catch {
      return void stream.destroy();
    }
    const refuse = (refused: string) => {
      sendMessage(stream, { refused });
      stream.end();
      stream.resume();
    };
    const accept = () => {
      sendMessage(stream, {});
      return stream;
    };
    if (asked.kind === "login") {
      this.#login.resolve(asked.name);
      accept().end();
      return void stream.resume();
    }
    // it comes on the streams after the first one, and whoever waits for that has the next turn
    await this.login;
    const requests = this.#requests;
    if (requests === undefined) return refuse("EAGAIN: not served yet");
    const { kind, port } = asked;
    if (kind === "dial") {
      return requests.onDial({ host: asked.host, port, accept, refuse });
    }
    const isDone = kind === "attach"
      ? requests.onAttach(port)
      : requests.onDetach(port);
    if (!isDone) return refuse(`EADDRNOTAVAIL: port ${port}`);
    accept().end();
    stream.resume();
  }
}
