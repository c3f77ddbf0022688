import { forSystem } from "../../../core/system.ts";
import { UnsupportedError } from "../../../core/errors.ts";
import { DARWIN_IOCTL, darwinIoctl, FIOCLEX } from "../../darwin_ioctl.ts";
import { dlopenLibc } from "../../dlopen_libc.ts";
import { errno, ERRNO_PLACE } from "../../errno.ts";
import type { UnixSystem } from "./descriptor_message.ts";

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  accept: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  getsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  sendmsg: { parameters: ["i32", "buffer", "i32"], result: "isize" },
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "isize" },
  ioctl: DARWIN_IOCTL, // Linux finds its argument as well
  close: { parameters: ["i32"], result: "i32" },
  errnoPlace: ERRNO_PLACE,
} as const;

export type UnixSockets = Deno.DynamicLibrary<typeof SYMBOLS>;

export const AF_UNIX = 1;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;

/** Requests of `ioctl`: no program that is started inherits it; no call waits. */
const REQUESTS: Readonly<
  Record<UnixSystem, { readonly FIOCLEX: bigint; readonly FIONBIO: bigint }>
> = {
  linux: { FIOCLEX: 0x5451n, FIONBIO: 0x5421n },
  darwin: { FIOCLEX, FIONBIO: 0x8004667en },
};

/** What FIONBIO reads. */
const ON = Uint8Array.of(1, 0, 0, 0);

/** The system whose numbers count here. */
export const UNIX_SYSTEM: UnixSystem = forSystem<UnixSystem>({
  linux: "linux",
  darwin: "darwin",
});

/**
 * The calls that take and give descriptors.
 *
 * @throws {PermissionError} `FFI_NOT_ALLOWED`.
 * @throws {UnsupportedError} `TUN_UNSUPPORTED`.
 */
export function openUnixSockets(): UnixSockets {
  return dlopenLibc(SYMBOLS, {
    purpose: "use a TUN device",
    unsupported: { code: "TUN_UNSUPPORTED" },
  });
}

/** Programs that are started do not inherit the descriptor. @returns 0, or -1. */
export function closeOnExec({ symbols }: UnixSockets, fd: number): number {
  const request = REQUESTS[UNIX_SYSTEM].FIOCLEX;
  return darwinIoctl(symbols.ioctl, { fd, request, data: ON });
}

/** No call on the descriptor waits. @returns 0, or -1. */
export function dontBlock({ symbols }: UnixSockets, fd: number): number {
  const request = REQUESTS[UNIX_SYSTEM].FIONBIO;
  return darwinIoctl(symbols.ioctl, { fd, request, data: ON });
}

/** @throws {UnsupportedError} `TUN_UNSUPPORTED` where the last call gave a negative number. */
export function mustDo(
  sockets: UnixSockets,
  what: string,
  result: number | bigint,
): number {
  if (result >= 0) return Number(result);
  throw cannot(what, `errno ${errno(sockets)}`);
}

export function cannot(what: string, reason: string): UnsupportedError {
  return new UnsupportedError(
    "TUN_UNSUPPORTED",
    `Cannot ${what}: ${reason}`,
  );
}
