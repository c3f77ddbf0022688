/** The bytes by which a process hands a descriptor to another over a unix socket (SCM_RIGHTS). */

/** Whose C structures: they differ a little. */
export type UnixSystem = "linux" | "darwin";

interface Layout {
  readonly SOL_SOCKET: number;
  /** Of `struct cmsghdr`: where level and type are, where the data begins. */
  readonly levelAt: number;
  readonly dataAt: number;
  /** With one descriptor, padded. */
  readonly controlBytes: number;
}

const LAYOUTS: Readonly<Record<UnixSystem, Layout>> = {
  linux: { SOL_SOCKET: 1, levelAt: 8, dataAt: 16, controlBytes: 24 },
  darwin: { SOL_SOCKET: 0xffff, levelAt: 4, dataAt: 12, controlBytes: 16 },
};

const AF_UNIX = 1;
const SCM_RIGHTS = 1;
const DESCRIPTOR_BYTES = 4;

/** Where things are in a message: more than its header takes anywhere, and all aligned. */
const AT = { vector: 56, data: 72, control: 80 } as const;

/** `struct sockaddr_un`. */
export function unixAddress(
  path: string,
  system: UnixSystem,
): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(`${path}\0`);
  const address = new Uint8Array(2 + name.length);
  // macOS has two bytes, for the length and the family; Linux has one number
  address.set(system === "darwin" ? [address.length, AF_UNIX] : [AF_UNIX, 0]);
  address.set(name, 2);
  return address;
}

/**
 * `struct msghdr`, and all that it leads to, in one piece: its one `struct iovec`, the one byte of
 * data without which it would carry nothing, and the control part, which carries the descriptor, or
 * has room for one. What else differs between the systems is the width of two lengths, and these are
 * small and little-endian.
 *
 * It is as good as it does not move: memory of this size does not.
 */
export function packMessage(
  system: UnixSystem,
  fd?: number,
): Uint8Array<ArrayBuffer> {
  const { SOL_SOCKET, levelAt, dataAt, controlBytes } = LAYOUTS[system];
  const bytes = new Uint8Array(AT.control + controlBytes);
  const base = Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
  const view = new DataView(bytes.buffer);
  const point = (at: number, to: number) =>
    view.setBigUint64(at, base + BigInt(to), true);
  point(16, AT.vector);
  view.setUint32(24, 1, true);
  point(32, AT.control);
  view.setUint32(40, controlBytes, true);
  point(AT.vector, AT.data);
  view.setUint32(AT.vector + 8, 1, true);
  if (fd === undefined) return bytes;
  view.setUint32(AT.control, dataAt + DESCRIPTOR_BYTES, true);
  view.setInt32(AT.control + levelAt, SOL_SOCKET, true);
  view.setInt32(AT.control + levelAt + 4, SCM_RIGHTS, true);
  view.setInt32(AT.control + dataAt, fd, true);
  return bytes;
}

/** The descriptor in a message that was received; `undefined` where there is none. */
export function unpackMessage(
  system: UnixSystem,
  message: Uint8Array<ArrayBuffer>,
): number | undefined {
  const { SOL_SOCKET, levelAt, dataAt } = LAYOUTS[system];
  const view = new DataView(message.buffer, AT.control);
  const isOne = view.getUint32(0, true) === dataAt + DESCRIPTOR_BYTES &&
    view.getInt32(levelAt, true) === SOL_SOCKET &&
    view.getInt32(levelAt + 4, true) === SCM_RIGHTS;
  return isOne ? view.getInt32(dataAt, true) : undefined;
}
