import { BlockList, isIP } from "node:net";
import { UsageError } from "../../core/errors.ts";

/** An address range that can be asked whether it holds an address. */
export type Cidr = BlockList;

/** @throws {UsageError} `CIDR_INVALID`. */
export function parseCidr(text: string): Cidr {
  const [address = "", prefix] = text.split("/");
  const family = isIP(address);
  const bits = Number(prefix ?? (family === 6 ? 128 : 32));
  if (
    family === 0 || !Number.isInteger(bits) || bits < 0 ||
    bits > (family === 6 ? 128 : 32)
  ) {
    throw new UsageError("CIDR_INVALID", `"${text}" is not an address range`, {
      hint: "Write it like 10.96.0.0/12 or fd00::/108.",
    });
  }
  const list = new BlockList();
  list.addSubnet(address, bits, family === 6 ? "ipv6" : "ipv4");
  return list;
}

export function contains(cidr: Cidr, address: string): boolean {
  return cidr.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

/** The address that a name below `in-addr.arpa` or `ip6.arpa` stands for; `undefined` for any other name. */
export function reverseAddress(name: string): string | undefined {
  const v4 = /^(\d+\.\d+\.\d+\.\d+)\.in-addr\.arpa$/.exec(name)?.[1];
  if (v4 !== undefined) {
    const address = v4.split(".").reverse().join(".");
    return isIP(address) === 4 ? address : undefined;
  }
  const v6 = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(name)?.[1];
  if (v6 === undefined) return undefined;
  const digits = v6.replaceAll(".", "").split("").reverse().join("");
  return digits.match(/.{4}/g)?.join(":");
}
