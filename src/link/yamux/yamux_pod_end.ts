import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { LinkError } from "../../core/errors.ts";
import type { Origin } from "../wire/laptop_end.ts";
import type { PodEnd, PodRequests } from "../wire/pod_end.ts";
import {
  ask,
  readMessage,
  type Request,
  request,
  REQUEST_TIMEOUT_MS,
  sendLastMessage,
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
  readonly #requestTimeoutMs: number;
  #requests: PodRequests | undefined;
  #hasStream = false;
  #isLoggedIn = false;

  constructor(
    carrier: Duplex,
    { requestTimeoutMs = REQUEST_TIMEOUT_MS }: { requestTimeoutMs?: number } =
      {},
  ) {
    this.#requestTimeoutMs = requestTimeoutMs;
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

  offer(port: number, origin: Origin): Promise<Duplex> {
    return ask(this.#session.open(), { kind: "connection", port, origin });
  }

  destroy(): void {
    this.#session.destroy();
  }

  async #onStream(stream: YamuxStream): Promise<void> {
    const isFirst = !this.#hasStream;
    this.#hasStream = true;
    let asked: Request;
    try {
      asked = await readMessage(stream, request, this.#requestTimeoutMs);
    } catch (error) {
      stream.destroy();
      if (isFirst) this.#session.destroy(error as Error);
      return;
    }
    if (isFirst !== (asked.kind === "login")) return this.#failLogin();
    if (asked.kind === "login") {
      this.#isLoggedIn = true;
      this.#login.resolve(asked.name);
      return sendLastMessage(stream, {});
    }
    // the login came before it, and needs one more turn at most to be read
    if (!this.#isLoggedIn) await setImmediate();
    if (!this.#isLoggedIn) return this.#failLogin();
    await this.login;
    this.#onRequest(stream, asked);
  }

  #onRequest(
    stream: YamuxStream,
    asked: Exclude<Request, { kind: "login" }>,
  ): void {
    const refuse = (refused: string) => sendLastMessage(stream, { refused });
    const requests = this.#requests;
    if (requests === undefined) return refuse("EAGAIN: not served yet");
    const { kind, port } = asked;
    if (kind === "dial") {
      const accept = () => {
        sendMessage(stream, {});
        return stream;
      };
      return requests.onDial({ host: asked.host, port, accept, refuse });
    }
    const isDone = kind === "attach"
      ? requests.onAttach(port)
      : requests.onDetach(port);
    if (!isDone) return refuse(`EADDRNOTAVAIL: port ${port}`);
    sendLastMessage(stream, {});
  }

  #failLogin(): void {
    this.#session.destroy(
      new LinkError(
        "LINK_PROTOCOL",
        "The other end did not log in first, and once",
      ),
    );
  }
}
