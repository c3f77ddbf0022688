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

export type Libc = Deno.DynamicLibrary<typeof SYMBOLS>;

/**
 * The system calls that Deno does not have.
 *
 * @throws {PermissionError} `FFI_NOT_ALLOWED`.
 * @throws {UnsupportedError} `TUN_UNSUPPORTED` where there is no libc of Linux.
 */
export function openLibc(): Libc {
  return dlopenLibc(SYMBOLS, {
    purpose: "use a TUN device",
    unsupported: {
      code: "TUN_UNSUPPORTED",
      hint:
        "--mode tun2socks works on Linux with glibc; use --disableTunDevice.",
    },
  });
}

/** Of the last call. Ask at once: everything that Deno does may change it. */
export function errno({ symbols }: Libc): number {
  const place = symbols.__errno_location();
  return place === null ? 0 : new Deno.UnsafePointerView(place).getInt32();
}
