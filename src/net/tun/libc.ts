import { dlopenLibc } from "../dlopen_libc.ts";

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
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

/** macOS has the same under other names; its `pipe` does not look at the flags. Not verified on a Mac. */
const DARWIN_SYMBOLS = {
  ...SYMBOLS,
  pipe2: { ...SYMBOLS.pipe2, name: "pipe" },
  __errno_location: { ...SYMBOLS.__errno_location, name: "__error" },
} as const;

const O_CLOEXEC = 0o2000000;
const FIOCLEX = 0x20006601n;

export type Libc = Deno.DynamicLibrary<typeof SYMBOLS>;

/**
 * The system calls that Deno does not have.
 *
 * @throws {PermissionError} `FFI_NOT_ALLOWED`.
 * @throws {UnsupportedError} `TUN_UNSUPPORTED` where there is no libc of Linux or macOS.
 */
export function openLibc(): Libc {
  const isDarwin = Deno.build.os === "darwin";
  return dlopenLibc(isDarwin ? DARWIN_SYMBOLS : SYMBOLS, {
    purpose: "use a TUN device",
    unsupported: {
      code: "TUN_UNSUPPORTED",
      hint:
        "--mode tun2socks works on Linux with glibc, and on macOS; use --disableTunDevice.",
    },
  });
}

/** Of the last call. Ask at once: everything that Deno does may change it. */
export function errno({ symbols }: Libc): number {
  const place = symbols.__errno_location();
  return place === null ? 0 : new Deno.UnsafePointerView(place).getInt32();
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
  if (Deno.build.os === "darwin") {
    for (const fd of [read, write]) ioctl(fd, FIOCLEX, null); // takes no argument
  }
  return [read, write];
}
