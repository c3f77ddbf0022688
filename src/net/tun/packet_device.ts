import type { Libc } from "./libc.ts";

/** The near end of a device that takes and gives whole IP packets. */
export interface PacketDevice extends Disposable {
  /** Not blocking. */
  readonly fd: number;
  readonly libc: Libc;
  /** What is in front of each packet: the vnet header, or that of utun. */
  readonly headerBytes: number;
  /** One packet, behind room for the vnet header. What the kernel does not take is lost, as on any line. */
  write(frame: Uint8Array): void;
}
