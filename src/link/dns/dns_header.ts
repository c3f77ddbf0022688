/**
 * The twelve bytes in front of every DNS message (RFC 1035 §4.1.1). Messages stay raw bytes as long
 * as that goes, so that nothing is lost which a library does not know.
 */
export const HEADER_BYTES = 12;

export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
} as const;

/** A message with fewer bytes than a header has none. */
export interface DnsHeader {
  readonly id: number;
  readonly isResponse: boolean;
  readonly opcode: number;
  readonly isTruncated: boolean;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  readonly rcode: number;
  /** Entries of the sections: questions, answers, authorities, additionals. */
  readonly counts: readonly [number, number, number, number];
}

export function readHeader(message: Uint8Array): DnsHeader | undefined {
  if (message.length < HEADER_BYTES) return undefined;
  const view = viewOf(message);
  const flags = view.getUint16(2);
  return {
    id: view.getUint16(0),
    isResponse: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 15,
    isTruncated: (flags & 0x0200) !== 0,
    recursionDesired: (flags & 0x0100) !== 0,
    checkingDisabled: (flags & 0x0010) !== 0,
    rcode: flags & 15,
    counts: [
      view.getUint16(4),
      view.getUint16(6),
      view.getUint16(8),
      view.getUint16(10),
    ],
  };
}

/** A copy of the message under another id. */
export function withId(message: Uint8Array, id: number): Uint8Array {
  const copy = message.slice();
  viewOf(copy).setUint16(0, id);
  return copy;
}

export function viewOf(message: Uint8Array): DataView {
  return new DataView(message.buffer, message.byteOffset, message.byteLength);
}
