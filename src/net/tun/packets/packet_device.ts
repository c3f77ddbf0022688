import type { PosixLineConfig } from "../posix/posix_line.ts";
import type { WintunLineConfig } from "../windows/wintun_line.ts";

/** The near end of a device that takes and gives whole IP packets. */
export interface PacketDevice extends Disposable {
  /** One packet, behind room for the vnet header. What the kernel does not take is lost, as on any line. */
  write(frame: Uint8Array): void;
  /**
   * What another thread needs to carry its packets.
   *
   * @throws {UnsupportedError} `TUN_UNSUPPORTED`.
   */
  openCommands(): PumpCommands;
}

/** How the thread that carries packets finds the device, and how it is told what to do. */
export interface PumpCommands extends Disposable {
  /** Nothing but what can be sent to it. */
  readonly line: LineConfig;
  /** Two 16-bit numbers: see `COMMAND` of packet_pump.ts. */
  send(command: number, flow: number): void;
  /** Nothing more comes: the end of the pump. Disposed once that has ended. */
  end(): void;
}

/** For `openPacketLine`. */
export type LineConfig = PosixLineConfig | WintunLineConfig;
