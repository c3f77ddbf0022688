import type { Libc } from "./libc.ts";
import { type PacketIo, READ, WOKEN } from "../packets/packet_io.ts";
import { UTUN_HEADER_BYTES, writeUtunHeader } from "../packets/utun_header.ts";
import { MAX_FRAME_BYTES, VNET_HEADER_BYTES } from "../packets/vnet_header.ts";

export interface PosixIoConfig {
  readonly kind: "posix";
  /** Of the device, not blocking. */
  readonly fd: number;
  /** What the device has in front of each packet. */
  readonly headerBytes: number;
  /** The end of a pipe to read commands from. Its end is that of the commands. */
  readonly commands: number;
}

const POLLIN = 1;
const POLL_BYTES = 8;
const COMMANDS_AT_ONCE = 1024;

/** Of a device that is a descriptor: Linux, macOS. */
export function openPosixIo(
  { fd, headerBytes, commands }: PosixIoConfig,
  { symbols: { read, write, poll } }: Libc,
): PacketIo {
  const frame = new Uint8Array(MAX_FRAME_BYTES);
  // a shorter header than the vnet header is the end of its room
  const skipped = VNET_HEADER_BYTES - headerBytes;
  const packet = frame.subarray(skipped);
  const capacity = BigInt(packet.length);
  const isUtun = headerBytes === UTUN_HEADER_BYTES;
  const orders = new Uint16Array(COMMANDS_AT_ONCE * 2);
  const orderBytes = new Uint8Array(orders.buffer);
  const polled = new Uint8Array(2 * POLL_BYTES);
  const view = new DataView(polled.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, POLLIN, true);
  view.setInt32(POLL_BYTES, commands, true);
  view.setInt16(POLL_BYTES + 4, POLLIN, true);
  return {
    frame,
    orders,
    read() {
      const length = Number(read(fd, packet, capacity));
      if (length < 0) return READ.nothing;
      return length === 0 ? READ.gone : length + skipped;
    },
    writeBack(length) {
      if (isUtun) writeUtunHeader(frame);
      write(fd, packet, BigInt(length - skipped));
    },
    write(other) {
      if (isUtun) writeUtunHeader(other);
      write(fd, other.subarray(skipped), BigInt(other.length - skipped));
    },
    wait(timeoutMs) {
      poll(polled, 2n, timeoutMs);
      // an error, a hang-up, or no such descriptor
      const isGone = (view.getInt16(6, true) & ~POLLIN) !== 0;
      const isTold = view.getInt16(POLL_BYTES + 6, true) !== 0;
      return (isGone ? WOKEN.gone : 0) | (isTold ? WOKEN.commands : 0);
    },
    takeCommands() {
      // a pipe takes and gives commands whole: they are shorter than what it does at once
      const length = Number(
        read(commands, orderBytes, BigInt(orderBytes.length)),
      );
      return length <= 0 ? -1 : length / 2;
    },
  };
}
