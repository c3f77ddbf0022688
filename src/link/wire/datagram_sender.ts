import type { Socket } from "node:dgram";

/** Where a datagram goes, on a socket that is not connected. */
export interface Destination {
  readonly address: string;
  readonly port: number;
}

/** What comes beyond is dropped, as by a full socket buffer. */
const MOST_WAITING = 1024;

/**
 * Sends datagrams in order, one at a time: Deno (2.9.6) sends what it is given in one turn of the
 * event loop last to first. Noticed by: "Deno sends a burst of datagrams last to first".
 */
export class DatagramSender {
  readonly #socket: Socket;
  readonly #waiting: { data: Uint8Array; to: Destination | undefined }[] = [];
  #isSending = false;
  #isClosed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** @param to Only for a socket that is not connected. A datagram that cannot be sent is lost. */
  send(data: Uint8Array, to?: Destination): void {
    if (this.#isClosed) return;
    if (!this.#isSending) this.#send(data, to);
    else if (this.#waiting.length < MOST_WAITING) {
      this.#waiting.push({ data, to });
    }
  }

  /** Closes the socket; what waits is lost. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting.length = 0;
    this.#socket.close();
  }

  #send(data: Uint8Array, to: Destination | undefined): void {
    this.#isSending = true;
    const next = () => {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#isSending = false;
      else this.#send(waiting.data, waiting.to);
    };
    if (to === undefined) this.#socket.send(data, next);
    else this.#socket.send(data, to.port, to.address, next);
  }
}
