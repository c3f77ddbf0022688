import type { Socket } from "node:net";
import { dlopenLibc } from "../dlopen_libc.ts";
import { type Family, formatAddress } from "../cidr.ts";

/** Where a connection wanted to go before it was redirected. */
export interface Destination {
  readonly host: string;
  readonly port: number;
}

/** Knows where redirected connections wanted to go. */
export interface Destinations extends Disposable {
  /** Of an accepted connection; `undefined` where it was not redirected, or that is not known. */
  of(
    socket: Socket,
  ): Destination | undefined | Promise<Destination | undefined>;
}

const SYMBOLS = {
  getsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  close: { parameters: ["i32"], result: "i32" },
} as const;

/** SOL_IP and SOL_IPV6; SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST have the same number. */
const LEVELS: Readonly<Record<Family, number>> = { 4: 0, 6: 41 };
const SO_ORIGINAL_DST = 80;
/** Sizes of sockaddr_in and sockaddr_in6, and where the address is in them. */
const SIZES: Readonly<Record<Family, number>> = { 4: 16, 6: 28 };
const ADDRESS_AT: Readonly<Record<Family, number>> = { 4: 4, 6: 8 };

/** The part of a socket's handle that Deno has for this, though it is not in Node's typings. */
interface Handle {
  /** A duplicate of the file descriptor, which the caller closes. */
  fdForIpc?(): number;
}

/** Asks the kernel's connection tracking. Linux only; needs no root. */
export class OriginalDestinations implements Destinations {
  readonly #libc: Deno.DynamicLibrary<typeof SYMBOLS>;

  /**
   * @throws {UnsupportedError} `REDIRECT_UNSUPPORTED` where there is no libc of Linux.
   * @throws {PermissionError} `FFI_NOT_ALLOWED`.
   */
  constructor() {
    this.#libc = dlopenLibc(SYMBOLS, {
      purpose: "learn where redirected connections want to go",
      unsupported: {
        code: "REDIRECT_UNSUPPORTED",
        hint: "Redirecting is supported on Linux with glibc.",
      },
    });
  }

  /**
   * Of an accepted connection. One that was not redirected is told as going to its own local
   * address, or is `undefined` where the kernel does not track it.
   */
  of(socket: Socket): Destination | undefined {
    const handle = (socket as unknown as { _handle?: Handle })._handle;
    const fd = handle?.fdForIpc?.() ?? -1;
    if (fd < 0) return undefined;
    try {
      // a socket for both families shows IPv4 as `::ffff:10.0.0.1`
      const isIpv4 = socket.localAddress?.includes(".") ?? true;
      return this.#ask(fd, isIpv4 ? 4 : 6);
    } finally {
      this.#libc.symbols.close(fd);
    }
  }

  #ask(fd: number, family: Family): Destination | undefined {
    const address = new Uint8Array(SIZES[family]);
    const length = new Uint32Array([address.length]);
    const { getsockopt } = this.#libc.symbols;
    const code = getsockopt(
      fd,
      LEVELS[family],
      SO_ORIGINAL_DST,
      address,
      new Uint8Array(length.buffer),
    );
    return code === 0 ? readSocketAddress(address, family) : undefined;
  }

  [Symbol.dispose](): void {
    this.#libc.close();
  }
}

/** Reads a sockaddr_in or sockaddr_in6: port and address are in network order. */
export function readSocketAddress(
  bytes: Uint8Array,
  family: Family,
): Destination {
  const start = ADDRESS_AT[family];
  const value = bytes.subarray(start, start + (family === 4 ? 4 : 16))
    .reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return {
    host: formatAddress(family, value),
    port: bytes[2]! * 256 + bytes[3]!,
  };
}
