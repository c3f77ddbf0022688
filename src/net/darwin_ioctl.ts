/**
 * `ioctl` of macOS. Not verified on a Mac.
 *
 * It takes variable arguments, which Apple's arm64 has on the stack and never in registers, and
 * Deno's FFI calls it as if its arguments were fixed. Eight of those fill the registers, so the
 * ninth is on the stack, where `ioctl` looks for its third. On x86-64 it looks in the third
 * register: so what it is to find is given in both places.
 */
export const DARWIN_IOCTL = {
  name: "ioctl",
  parameters: [
    "i32",
    "u64",
    "buffer",
    "u64",
    "u64",
    "u64",
    "u64",
    "u64",
    "buffer",
  ],
  result: "i32",
} as const;

/** Programs that are started do not inherit the descriptor. It takes no argument. */
export const FIOCLEX = 0x20006601n;

type Ioctl = (
  fd: number,
  request: bigint,
  ...rest: [Data, bigint, bigint, bigint, bigint, bigint, Data]
) => number;

type Data = Uint8Array<ArrayBuffer>;

export interface IoctlOptions {
  readonly fd: number;
  readonly request: bigint;
  /** What it reads and writes. */
  readonly data: Data;
}

/** @returns 0, or -1. */
export function darwinIoctl(
  ioctl: Ioctl,
  { fd, request, data }: IoctlOptions,
): number {
  return ioctl(fd, request, data, 0n, 0n, 0n, 0n, 0n, data);
}
