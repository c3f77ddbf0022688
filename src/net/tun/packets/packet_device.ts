import type { PosixIoConfig } from "../posix/posix_io.ts";
import type { WintunIoConfig } from "../windows/wintun_io.ts";

/** The near end of a device that takes and gives whole IP packets. */
export interface PacketDevice extends Disposable {
  /** One packet, behind room for the vnet header. What the kernel does not take is lost, as in any network. */
  write(frame: Uint8Array): void;
  /**
   * What another thread needs to carry its packets.
   *
   * @throws {UnsupportedError} `TUN_UNSUPPORTED`.
   */
  openCommands(): PacketCommands;
}

/** How the thread that carries packets finds the device, and how it is told what to do. */
export interface PacketCommands extends Disposable {
  /** Nothing but what can be sent to it. */
  readonly io: PacketIoConfig;
  /** Two 16-bit numbers: see `COMMAND` of packet_loop.ts. */
  send(command: number, flow: number): void;
  /** Nothing more comes: the end of the packet loop. Disposed once that has ended. */
  end(): void;
}

/** For `openPacketIo`. */
export type PacketIoConfig = PosixIoConfig | WintunIoConfig;
