import { forSystem, SYSTEM } from "../../../core/system.ts";
import { FIOCLEX } from "../../darwin_ioctl.ts";
import { dlopenLibc } from "../../dlopen_libc.ts";
import { ERRNO_PLACE } from "../../errno.ts";

const SYMBOLS = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  // the same with a number: variadic arguments are passed alike on Linux
  ioctlNumber: {
    name: "ioctl",
    parameters: ["i32", "u64", "u64"],
    result: "i32",
  },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32" },
  pipe2: {
    // macOS has no other, and its own does not look at the flags
    name: forSystem({ linux: "pipe2", darwin: "pipe" }),
    parameters: ["buffer", "i32"],
    result: "i32",
  },
  close: { parameters: ["i32"], result: "i32" },
  errnoPlace: ERRNO_PLACE,
} as const;

const O_CLOEXEC = 0o2000000;

export type Libc = Deno.DynamicLibrary<typeof SYMBOLS>;

/**
 * The system calls that Deno does not have. Not verified on a Mac.
 *
 * @throws {PermissionError} `FFI_NOT_ALLOWED`.
 * @throws {UnsupportedError} `TUN_UNSUPPORTED` where there is no libc of Linux or macOS.
 */
export function openLibc(): Libc {
  return dlopenLibc(SYMBOLS, {
    purpose: "use a TUN device",
    unsupported: {
      code: "TUN_UNSUPPORTED",
      hint:
        "TUN devices are supported on Linux with glibc, on macOS and on Windows.",
    },
  });
}

/**
 * Both ends of a pipe, which programs that are started do not inherit: they would keep it open.
 *
 * @returns `undefined` if there can be none.
 */
export function openPipe(
  { symbols: { pipe2, ioctl } }: Libc,
): [read: number, write: number] | undefined {
  const ends = new Int32Array(2);
  if (pipe2(new Uint8Array(ends.buffer), O_CLOEXEC) < 0) return undefined;
  const [read = -1, write = -1] = ends;
  if (SYSTEM === "darwin") {
    for (const fd of [read, write]) ioctl(fd, FIOCLEX, null); // takes no argument
  }
  return [read, write];
}
