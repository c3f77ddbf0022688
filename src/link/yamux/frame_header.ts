/**
 * The header of a yamux frame: https://github.com/hashicorp/yamux/blob/master/spec.md
 *
 * Twelve bytes, big-endian: version (8 bits), type (8), flags (16), stream (32), length (32).
 */

export const HEADER_BYTES = 12;

export const FRAME_TYPE = { data: 0, windowUpdate: 1, ping: 2, goAway: 3 };
/** Of {@link FRAME_TYPE}. `length` counts bytes of payload with `data` alone. */
export const FLAG = { syn: 1, ack: 2, fin: 4, rst: 8 };

/** What each side of a stream may send before the other has allowed more: the protocol's own. */
export const YAMUX_WINDOW_BYTES = 256 * 1024;

const VERSION = 0;

export interface FrameHeader {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  /** Bytes of payload, more bytes of window, a ping's number, or a reason to go. */
  readonly length: number;
}

export function formatHeader(header: FrameHeader): Uint8Array {
  const { type, flags, streamId, length } = header;
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, type);
  view.setUint16(2, flags);
  view.setUint32(4, streamId);
  view.setUint32(8, length);
  return bytes;
}

/** `undefined` where these are not the bytes of a header. */
export function parseHeader(bytes: Uint8Array): FrameHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const type = view.getUint8(1);
  if (view.getUint8(0) !== VERSION || type > FRAME_TYPE.goAway) {
    return undefined;
  }
  return {
    type,
    flags: view.getUint16(2),
    streamId: view.getUint32(4),
    length: view.getUint32(8),
  };
}
