/** How macOS's kernel is asked for a utun device: the bytes of it. Not verified on a Mac. */

/** `_IOWR('N', 3, struct ctl_info)`. */
export const CTLIOCGINFO = 0xc0644e03n;
const NAME = "com.apple.net.utun_control";
const CTL_INFO_BYTES = 100;
const SOCKADDR_CTL_BYTES = 32;
const AF_SYSTEM = 32;
const AF_SYS_CONTROL = 2;

/** `struct ctl_info`: room for a number, then the name whose number the kernel fills in. */
export function packControlInfo(): Uint8Array<ArrayBuffer> {
  const info = new Uint8Array(CTL_INFO_BYTES);
  info.set(new TextEncoder().encode(NAME), 4);
  return info;
}

/** `struct sockaddr_ctl` of the control with the number in `info`, and of any unit that is free. */
export function packControlAddress(
  info: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const address = new Uint8Array(SOCKADDR_CTL_BYTES);
  address.set([SOCKADDR_CTL_BYTES, AF_SYSTEM, AF_SYS_CONTROL, 0]);
  address.set(info.subarray(0, 4), 4);
  return address;
}

/** The name that `UTUN_OPT_IFNAME` gives; `undefined` for what is none of a utun's. */
export function readDeviceName(bytes: Uint8Array): string | undefined {
  const [name = ""] = new TextDecoder().decode(bytes).split("\0");
  return /^utun\d{1,5}$/.test(name) ? name : undefined;
}
