import { forSystem, SYSTEM } from "../core/system.ts";
import { isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";
import { readSocketAddress } from "./capture/original_destination.ts";
import { dlopenLibc } from "./dlopen_libc.ts";

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
} as const;

const AF_INET = 2;
const AF_INET6 = forSystem({ linux: 10, darwin: 30 });
const SOCK_DGRAM = 2;
/** No program that is started at this moment inherits it. */
const SOCK_CLOEXEC = forSystem({ linux: 0o2000000, darwin: 0 });

/**
 * Knows which address of this machine leads to another: the kernel says so of a UDP socket that is
 * connected, which sends nothing. Deno (2.9.6) connects none itself.
 */
export class LocalAddresses implements Disposable {
  #libc = openLibc();

  /** `undefined` where nothing leads there, or this system cannot be asked. */
  to(address: string): string | undefined {
    const [plain = "", zone] = address.split("%");
    if (zone !== undefined) return onLink(zone);
    if (this.#libc === undefined) return undefined;
    const family = isIPv6(plain) ? 6 : 4;
    const bytes = socketAddress(plain);
    const { socket, connect, getsockname, close } = this.#libc.symbols;
    const domain = family === 6 ? AF_INET6 : AF_INET;
    const fd = socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return undefined;
    try {
      if (connect(fd, bytes, bytes.length) !== 0) return undefined;
      const length = new Uint8Array(Uint32Array.of(bytes.length).buffer);
      if (getsockname(fd, bytes, length) !== 0) return undefined;
      return readSocketAddress(bytes, family).host;
    } finally {
      close(fd);
    }
  }

  [Symbol.dispose](): void {
    this.#libc?.close();
    this.#libc = undefined;
  }
}

function openLibc(): Deno.DynamicLibrary<typeof SYMBOLS> | undefined {
  try {
    return dlopenLibc(SYMBOLS, {
      purpose: "learn which address leads to another",
      unsupported: { code: "LIBC_UNKNOWN", hint: "" },
    });
  } catch {
    return undefined; // who asks does without
  }
}

/** A sockaddr_in or sockaddr_in6 with some port. */
function socketAddress(address: string): Uint8Array<ArrayBuffer> {
  const isV6 = isIPv6(address);
  const bytes = new Uint8Array(isV6 ? 28 : 16);
  const family = isV6 ? AF_INET6 : AF_INET;
  if (SYSTEM === "darwin") bytes.set([bytes.length, family]);
  else bytes.set(new Uint8Array(Uint16Array.of(family).buffer));
  bytes[3] = 53;
  bytes.set(ipaddr.parse(address).toByteArray(), isV6 ? 8 : 4);
  return bytes;
}

/** Our own address on one link. */
function onLink(zone: string): string | undefined {
  const own = networkInterfaces()[zone]?.find(({ address }) =>
    /^fe[89ab]/i.test(address)
  );
  return own && `${own.address}%${zone}`;
}
