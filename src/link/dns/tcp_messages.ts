/** DNS over TCP puts two bytes with its length in front of each message (RFC 1035 §4.2.2). */

export function frameMessage(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(2 + message.length);
  new DataView(framed.buffer).setUint16(0, message.length);
  framed.set(message, 2);
  return framed;
}

/** Cuts what comes in over a connection into messages. */
export class TcpMessages {
  #pending = new Uint8Array(0);

  /** The messages that `chunk` completes. */
  push(chunk: Uint8Array): Uint8Array[] {
    const bytes = new Uint8Array(this.#pending.length + chunk.length);
    bytes.set(this.#pending);
    bytes.set(chunk, this.#pending.length);
    const messages: Uint8Array[] = [];
    let at = 0;
    while (at + 2 <= bytes.length) {
      const end = at + 2 + ((bytes[at] ?? 0) << 8 | (bytes[at + 1] ?? 0));
      if (end > bytes.length) break;
      messages.push(bytes.slice(at + 2, end));
      at = end;
    }
    this.#pending = bytes.slice(at);
    return messages;
  }
}
