import ipaddr from "ipaddr.js";
import { UsageError } from "../core/errors.ts";

/** 4 or 6, as in IPv4 and IPv6. */
export type Family = 4 | 6;

/** Bits of an address, by family. */
export const ADDRESS_BITS: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };

/** Addresses with a common prefix. A single address is a network of one. Immutable. */
export class Cidr {
  readonly family: Family;
  /** Length of the prefix in bits. */
  readonly prefix: number;
  /** The lowest address, as a number. */
  readonly first: bigint;
  /** The highest address. */
  readonly last: bigint;

  /** @param address Any address inside: the bits behind the prefix are dropped. */
  constructor(family: Family, address: bigint, prefix: number) {
    this.family = family;
    this.prefix = prefix;
    const host = (1n << BigInt(ADDRESS_BITS[family] - prefix)) - 1n;
    this.first = address & ~host;
    this.last = address | host;
  }

  /**
   * Reads `10.0.0.0/8`, `fd00::/64` or a bare address. Bits behind the prefix are dropped; an
   * IPv4-mapped IPv6 address is the IPv4 address. No octal, no short forms, no zone.
   *
   * @throws {UsageError} `CIDR_INVALID`.
   */
  static parse(text: string): Cidr {
    const cidr = Cidr.tryParse(text);
    if (cidr !== undefined) return cidr;
    throw new UsageError(
      "CIDR_INVALID",
      `Cannot read "${text}" as an IP address or range`,
      { hint: "Write it like 10.1.2.3, 10.1.0.0/16 or fd00:1::/64." },
    );
  }

  /** Like {@link parse}, but `undefined` for what it does not take. */
  static tryParse(text: string): Cidr | undefined {
    const [address = "", length, ...more] = text.split("/");
    const parsed = parseAddress(address);
    if (parsed === undefined || more.length > 0) return undefined;
    const { family, value } = parsed;
    const bits = ADDRESS_BITS[family];
    if (length === undefined) return unmapped(new Cidr(family, value, bits));
    if (!/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > bits) {
      return undefined;
    }
    return unmapped(new Cidr(family, value, Number(length)));
  }

  get isSingle(): boolean {
    return this.first === this.last;
  }

  equals(other: Cidr): boolean {
    return this.family === other.family && this.first === other.first &&
      this.prefix === other.prefix;
  }

  /** Whether all of `other` is inside. */
  contains(other: Cidr): boolean {
    return this.family === other.family && this.first <= other.first &&
      other.last <= this.last;
  }

  /** Whether they have an address in common: then one contains the other. */
  overlaps(other: Cidr): boolean {
    return this.contains(other) || other.contains(this);
  }

  /** The lowest address as text. */
  get address(): string {
    return formatAddress(this.family, this.first);
  }

  /** The same with another prefix length, around the lowest address. */
  withPrefix(prefix: number): Cidr {
    return new Cidr(this.family, this.first, prefix);
  }

  /** `10.0.0.0/8`, always with the length. */
  toString(): string {
    return `${this.address}/${this.prefix}`;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** An address as text, IPv6 in the form of RFC 5952. */
export function formatAddress(family: Family, value: bigint): string {
  const bytes = Array.from(
    { length: ADDRESS_BITS[family] / 8 },
    (_, at, end = ADDRESS_BITS[family] - 8) =>
      Number((value >> BigInt(end - 8 * at)) & 0xffn),
  );
  const address = ipaddr.fromByteArray(bytes);
  return address instanceof ipaddr.IPv6
    ? address.toRFC5952String()
    : address.toString();
}

function parseAddress(
  text: string,
): { family: Family; value: bigint } | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) {
    return { family: 4, value: toBigInt(ipaddr.IPv4.parse(text)) };
  }
  if (!/^[0-9a-f:]+(:\d+\.\d+\.\d+\.\d+)?$/i.test(text)) return undefined;
  const dotted = text.slice(text.lastIndexOf(":") + 1);
  if (
    dotted.includes(".") && !ipaddr.IPv4.isValidFourPartDecimal(dotted)
  ) return undefined;
  if (!ipaddr.IPv6.isValid(text)) return undefined;
  return { family: 6, value: toBigInt(ipaddr.IPv6.parse(text)) };
}

function toBigInt(address: ipaddr.IPv4 | ipaddr.IPv6): bigint {
  return address.toByteArray().reduce(
    (value, byte) => (value << 8n) | BigInt(byte),
    0n,
  );
}

const MAPPED = 0xffffn << 32n;

function unmapped(cidr: Cidr): Cidr {
  const isMapped = cidr.family === 6 && cidr.prefix >= 96 &&
    cidr.first >> 32n === MAPPED >> 32n;
  return isMapped
    ? new Cidr(4, cidr.first & 0xffffffffn, cidr.prefix - 96)
    : cidr;
}
