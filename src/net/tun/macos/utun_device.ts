import { type Libc, openLibc } from "../posix/libc.ts";
import type { PacketDevice } from "../packets/packet_device.ts";
import { PipeCommands } from "../posix/pipe_commands.ts";
import { UTUN_HEADER_BYTES, writeUtunHeader } from "../packets/utun_header.ts";
import { VNET_HEADER_BYTES } from "../packets/vnet_header.ts";

/**
 * The near end of macOS's utun, by the descriptor that the root helper has handed over; it is this
 * object's to close. The device goes with the last of its descriptors. Not verified on a Mac.
 */
export class UtunDevice implements PacketDevice {
  /** Not blocking. */
  readonly fd: number;
  readonly libc: Libc;
  /** What is in front of each packet. */
  readonly headerBytes = UTUN_HEADER_BYTES;

  /**
   * @throws {PermissionError} `FFI_NOT_ALLOWED`.
   * @throws {UnsupportedError} `TUN_UNSUPPORTED`.
   */
  constructor(fd: number) {
    this.libc = openLibc();
    this.fd = fd;
  }

  write(frame: Uint8Array): void {
    writeUtunHeader(frame);
    const packet = frame.subarray(VNET_HEADER_BYTES - UTUN_HEADER_BYTES);
    this.libc.symbols.write(
      this.fd,
      packet as Uint8Array<ArrayBuffer>,
      BigInt(packet.length),
    );
  }

  openCommands(): PipeCommands {
    return new PipeCommands(this);
  }

  [Symbol.dispose](): void {
    this.libc.symbols.close(this.fd);
    this.libc.close();
  }
}
