import {
  sendDescriptor,
  type SendDescriptorOptions,
} from "../posix/send_descriptor.ts";
import {
  cannot,
  closeOnExec,
  dontBlock,
  mustDo,
  openUnixSockets,
  SOCK_DGRAM,
  type UnixSockets,
} from "../posix/unix_sockets.ts";
import { darwinIoctl } from "../../darwin_ioctl.ts";
import {
  CTLIOCGINFO,
  packControlAddress,
  packControlInfo,
  readDeviceName,
} from "./utun_control.ts";

const PF_SYSTEM = 32;
const SYSPROTO_CONTROL = 2;
const UTUN_OPT_IFNAME = 2;
const NAME_BYTES = 16;
const WHAT = "make a utun device";

/** A utun device that this process has made, as root. Disposing gives up this process's hold on it. */
export interface OpenUtun extends Disposable {
  readonly name: string;
  /** Lets another process have it as well. Throws as `sendDescriptor`. */
  handOver(options: SendDescriptorOptions): void;
}

/**
 * Makes a utun device of macOS: without addresses, and gone with the last process that has it. Not
 * verified on a Mac.
 *
 * @throws {UnsupportedError} `TUN_UNSUPPORTED`.
 * @throws {PermissionError} `FFI_NOT_ALLOWED`.
 */
export function openUtun(): OpenUtun {
  const sockets = openUnixSockets();
  const { close } = sockets.symbols;
  let fd = -1;
  const end = () => {
    if (fd >= 0) close(fd);
    sockets.close();
  };
  try {
    fd = sockets.symbols.socket(PF_SYSTEM, SOCK_DGRAM, SYSPROTO_CONTROL);
    mustDo(sockets, WHAT, fd);
    const name = connectControl(sockets, fd);
    return {
      name,
      handOver: (options) => sendDescriptor(sockets, fd, options),
      [Symbol.dispose]: end,
    };
  } catch (error) {
    end();
    throw error;
  }
}

/** @returns the device's name. */
function connectControl(sockets: UnixSockets, fd: number): string {
  const { ioctl, connect, getsockopt } = sockets.symbols;
  const must = (result: number) => mustDo(sockets, WHAT, result);
  const info = packControlInfo();
  must(darwinIoctl(ioctl, { fd, request: CTLIOCGINFO, data: info }));
  const address = packControlAddress(info);
  must(connect(fd, address, address.length));
  // whoever takes it, takes that it does not block as well
  must(closeOnExec(sockets, fd));
  must(dontBlock(sockets, fd));
  const name = new Uint8Array(NAME_BYTES);
  const size = new Uint8Array(new Uint32Array([NAME_BYTES]).buffer);
  must(getsockopt(fd, SYSPROTO_CONTROL, UTUN_OPT_IFNAME, name, size));
  const device = readDeviceName(name);
  if (device === undefined) throw cannot(WHAT, "it has an unknown name");
  return device;
}
