import {
  ConflictError,
  PermissionError,
  UnsupportedError,
} from "../../../core/errors.ts";
import { errno } from "../../errno.ts";
import { type Libc, openLibc } from "../posix/libc.ts";
import type { PacketDevice } from "../packets/packet_device.ts";
import { PipeCommands } from "../posix/pipe_commands.ts";
import { VNET_HEADER_BYTES } from "../packets/vnet_header.ts";

const O_RDWR_NONBLOCK_CLOEXEC = 0o2 | 0o4000 | 0o2000000;
const TUNSETIFF = 0x400454can;
const TUNSETOFFLOAD = 0x400454d0n;
/** IFF_TUN, IFF_NO_PI, IFF_VNET_HDR. */
const FLAGS = 0x0001 | 0x1000 | 0x4000;
/** TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6: the kernel hands over what it has not cut up yet. */
const OFFLOADS = 0x01n | 0x02n | 0x04n;
/** Of `struct ifreq`, and where its flags are. */
const IFREQ_BYTES = 40;
const IFREQ_FLAGS = 16;

const EPERM = 1;
const EACCES = 13;
const EBUSY = 16;

/** The near end of a TUN device that is there already and belongs to this user. Linux only. */
export class TunDevice implements PacketDevice {
  /** Not blocking. */
  readonly fd: number;
  readonly libc: Libc;
  /** What is in front of each packet. */
  readonly headerBytes = VNET_HEADER_BYTES;

  /**
   * @throws {PermissionError} `FFI_NOT_ALLOWED`, `TUN_NOT_ALLOWED`.
   * @throws {ConflictError} `TUN_IN_USE`.
   * @throws {UnsupportedError} `TUN_UNSUPPORTED`.
   */
  constructor(name: string) {
    this.libc = openLibc();
    this.fd = this.libc.symbols.open(
      cString("/dev/net/tun"),
      O_RDWR_NONBLOCK_CLOEXEC,
    );
    const code = this.fd < 0 ? errno(this.libc) : setInterface(this, name);
    if (code === 0) return;
    this[Symbol.dispose]();
    throw failed(name, code);
  }

  write(frame: Uint8Array): void {
    this.libc.symbols.write(
      this.fd,
      frame as Uint8Array<ArrayBuffer>,
      BigInt(frame.length),
    );
  }

  openCommands(): PipeCommands {
    return new PipeCommands(this);
  }

  [Symbol.dispose](): void {
    if (this.fd >= 0) this.libc.symbols.close(this.fd);
    this.libc.close();
  }
}

/** @returns errno, or 0. */
function setInterface({ fd, libc }: TunDevice, name: string): number {
  const request = new Uint8Array(IFREQ_BYTES);
  request.set(new TextEncoder().encode(name).subarray(0, IFREQ_FLAGS - 1));
  new DataView(request.buffer).setUint16(IFREQ_FLAGS, FLAGS, true);
  if (libc.symbols.ioctl(fd, TUNSETIFF, request) < 0) return errno(libc);
  if (libc.symbols.ioctlNumber(fd, TUNSETOFFLOAD, OFFLOADS) < 0) {
    return errno(libc);
  }
  return 0;
}

function failed(name: string, code: number): Error {
  const message = `Cannot use the TUN device "${name}": `;
  if (code === EACCES || code === EPERM) {
    return new PermissionError(
      "TUN_NOT_ALLOWED",
      message +
        (code === EACCES
          ? "this user may not open /dev/net/tun"
          : "it does not belong to this user"),
    );
  }
  if (code === EBUSY) {
    return new ConflictError("TUN_IN_USE", `${message}another process has it`);
  }
  return new UnsupportedError("TUN_UNSUPPORTED", `${message}errno ${code}`);
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}
