/** The bytes of a port-forward as a stream, over a WebSocket of `v4.channel.k8s.io`. */
import { Duplex } from "node:stream";
// @ts-types="@types/ws"
import type WebSocket from "ws";
import { LinkError, messageOf } from "../core/errors.ts";
import { describeCall } from "./api_errors.ts";
import type { CallSubject } from "./call_subject.ts";
import { holdTransport } from "./http/kube_agent.ts";

const DATA = 0;
const ERROR = 1;
/** How much may wait in the socket before a writer is held back. */
const HIGH_WATER_BYTES = 1024 * 1024;
/** Frames are cut to this size, so no server has to hold a large one. */
const FRAME_BYTES = 128 * 1024;
/** How long a closing handshake may take before the connection is dropped. */
const CLOSE_MS = 1_000;
/** Proxies and load balancers before an API server cut what is idle, some after 30 s. */
const PING_MS = 15_000;
/** So many pings without a word from a side that has answered one before, and with nothing sent: it is gone. */
const MOST_UNANSWERED = 6;

export interface PortForwardStreamOptions {
  readonly subject: CallSubject;
  readonly port: number;
  /** The kubelet has named the port: bytes may flow. */
  readonly onReady: () => void;
  /** For tests. */
  readonly pingMs?: number | undefined;
}

type Done = (error?: Error | null) => void;

export class PortForwardStream extends Duplex {
  readonly #socket: WebSocket;
  readonly #options: PortForwardStreamOptions;
  /** Channels whose first message, the port number, has come. */
  readonly #named = new Set<number>();
  /** The connection below the WebSocket. */
  carrier: object | undefined;
  #isHeld = false;
  /** Frames on their way to the kernel. */
  #unsent = 0;
  /** Goes on with writing, or with ending, once they have left. */
  #held: Done | undefined;
  #flushed: Done | undefined;
  #answersPings = false;
  #unanswered = 0;

  constructor(socket: WebSocket, options: PortForwardStreamOptions) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    this.#options = options;
    socket.binaryType = "nodebuffer";
    socket.on("message", (data) => this.#receive(data as Uint8Array));
    socket.on("close", (code, reason) => this.#closed(code, String(reason)));
    socket.on("error", (error) => this.destroy(this.#lost(messageOf(error))));
    socket.on("pong", () => {
      this.#answersPings = true;
      this.#unanswered = 0;
    });
    const pinging = setInterval(
      () => this.#ping(),
      options.pingMs ?? PING_MS,
    );
    socket.once("close", () => clearInterval(pinging));
  }

  #ping(): void {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN) return;
    // what is held is not read: an answer would not be seen
    if (this.#isHeld) this.#unanswered = 0;
    else if (this.#answersPings && this.#unanswered >= MOST_UNANSWERED) {
      this.destroy(this.#lost("nothing came for too long"));
      return socket.terminate();
    }
    this.#unanswered++;
    socket.ping();
  }

  #receive(frame: Uint8Array): void {
    this.#unanswered = 0;
    const channel = frame[0];
    const payload = frame.subarray(1);
    if (channel !== DATA && channel !== ERROR) return;
    if (!this.#named.has(channel)) {
      this.#named.add(channel);
      if (channel === DATA) this.#options.onReady();
      return;
    }
    if (payload.length === 0) return;
    if (channel === ERROR) {
      this.destroy(this.#failed(new TextDecoder().decode(payload)));
    } else if (!this.push(payload)) {
      this.#hold(true);
    }
  }

  override _read(): void {
    this.#hold(false);
  }

  #hold(held: boolean): void {
    if (held === this.#isHeld) return;
    this.#isHeld = held;
    if (held) this.#socket.pause();
    else this.#socket.resume();
    if (this.carrier !== undefined) holdTransport(this.carrier, held);
  }

  override _write(chunk: Uint8Array, _encoding: string, done: Done): void {
    for (let at = 0; at < chunk.length; at += FRAME_BYTES) {
      const part = chunk.subarray(at, at + FRAME_BYTES);
      const frame = new Uint8Array(part.length + 1);
      frame[0] = DATA;
      frame.set(part, 1);
      this.#unsent++;
      this.#socket.send(frame, () => this.#sent());
    }
    if (this.#socket.bufferedAmount > HIGH_WATER_BYTES) this.#held = done;
    else done();
  }

  /** Done when all has left for the network. The read side stays open: the protocol has no half-close. */
  override _final(done: Done): void {
    if (this.#unsent === 0) done();
    else this.#flushed = done;
  }

  /** One frame has left. A failed one needs no word here: the socket reports its end by itself. */
  #sent(): void {
    this.#unsent--;
    this.#unanswered = 0;
    // pings wait behind data that the pod does not read yet: an answer has to come first, after that
    this.#answersPings = false;
    if (this.#socket.bufferedAmount <= HIGH_WATER_BYTES) {
      const held = this.#held;
      this.#held = undefined;
      held?.();
    }
    if (this.#unsent === 0) this.#flushed?.();
  }

  override _destroy(error: Error | null, done: Done): void {
    const socket = this.#socket;
    if (socket.readyState === socket.CLOSED) return done(error);
    const timer = setTimeout(() => socket.terminate(), CLOSE_MS);
    socket.once("close", () => {
      clearTimeout(timer);
      done(error);
    });
    // A paused socket would never see the other side's answer.
    this.#hold(false);
    socket.removeAllListeners("message");
    if (socket.readyState === socket.CONNECTING) socket.terminate();
    else socket.close(1000);
  }

  #closed(code: number, reason: string): void {
    if (this.destroyed) return;
    // 1006 is a connection that broke; 1000 and 1005 are the pod's own end of the stream.
    if (code === 1000 || code === 1005) {
      this.push(null);
      this.end();
    } else {
      this.destroy(this.#lost(reason || `code ${code}`));
    }
  }

  #failed(text: string): LinkError {
    const { subject, port } = this.#options;
    const reason = text.trim().replace(/\s+/g, " ").replace(/\.$/, "");
    const what = `${describeCall(subject)}: port ${port}`;
    // The container runtime wraps these words in a paragraph about namespaces.
    return /connection refused/i.test(reason)
      ? new LinkError("PORT_FORWARD_FAILED", `${what} refuses connections`, {
        hint: `Check that the Pod listens on port ${port}.`,
        details: [reason],
      })
      : new LinkError("PORT_FORWARD_FAILED", `${what}: ${reason}`);
  }

  #lost(reason: string): LinkError {
    return new LinkError(
      "PORT_FORWARD_LOST",
      `${
        describeCall(this.#options.subject)
      }: the connection was lost (${reason})`,
    );
  }
}
