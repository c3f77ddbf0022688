import { PermissionError } from "../../../core/errors.ts";
import {
  packMessage,
  unixAddress,
  type UnixSystem,
} from "./descriptor_message.ts";
import { handoverPath } from "./descriptor_receiver.ts";
import {
  AF_UNIX,
  mustDo,
  SOCK_STREAM,
  UNIX_SYSTEM,
  type UnixSockets,
} from "./unix_sockets.ts";

interface Credentials {
  readonly level: number;
  readonly option: number;
  readonly bytes: number;
}

/** SO_PEERCRED with `struct ucred`, LOCAL_PEERCRED with `struct xucred`: a user's number is second in both. */
const CREDENTIALS: Readonly<Record<UnixSystem, Credentials>> = {
  linux: { level: 1, option: 17, bytes: 12 },
  darwin: { level: 0, option: 1, bytes: 76 },
};
const UID_AT = 4;

export interface SendDescriptorOptions {
  readonly session: string;
  /** Who may have it. */
  readonly uid: number;
}

/**
 * Hands a descriptor to the process that listens for it (`DescriptorReceiver`). Nothing waits: that
 * one has begun to listen, and what is sent stays in the socket until it is read.
 *
 * @throws {PermissionError} `TUN_NOT_ALLOWED`: another user listens there.
 * @throws {UnsupportedError} `TUN_UNSUPPORTED`.
 */
export function sendDescriptor(
  sockets: UnixSockets,
  fd: number,
  { session, uid }: SendDescriptorOptions,
): void {
  const what = "hand over the TUN device";
  const { symbols } = sockets;
  const must = (result: number | bigint) => mustDo(sockets, what, result);
  const socket = must(symbols.socket(AF_UNIX, SOCK_STREAM, 0));
  try {
    const address = unixAddress(handoverPath(session), UNIX_SYSTEM);
    must(symbols.connect(socket, address, address.length));
    if (peerOf(sockets, socket) !== uid) {
      throw new PermissionError(
        "TUN_NOT_ALLOWED",
        `Cannot ${what}: another user is waiting for it`,
        { hint: "Run the command again." },
      );
    }
    const message = packMessage(UNIX_SYSTEM, fd);
    must(symbols.sendmsg(socket, message, 0));
  } finally {
    symbols.close(socket);
  }
}

/** The user who listens at the other end. */
function peerOf(sockets: UnixSockets, socket: number): number {
  const { getsockopt } = sockets.symbols;
  const { level, option, bytes } = CREDENTIALS[UNIX_SYSTEM];
  const data = new Uint8Array(bytes);
  const size = new Uint8Array(new Uint32Array([bytes]).buffer);
  mustDo(
    sockets,
    "learn who takes the TUN device",
    getsockopt(socket, level, option, data, size),
  );
  return new DataView(data.buffer).getUint32(UID_AT, true);
}
