import { UnsupportedError } from "../../core/errors.ts";
import { Cidr, type Family, formatAddress } from "../cidr.ts";
import { overlapsAny } from "../cidr_list.ts";
import type { TunAddresses } from "./opened_tun.ts";

/**
 * Where to look for a pair that nobody has, by family. For IPv4 what is for testing routers
 * (RFC 2544), then what is for documentation; for IPv6 an own range (RFC 4193).
 */
const POOLS: Readonly<Record<Family, readonly Cidr[]>> = {
  4: ["198.18.0.0/15", "203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24"]
    .map(Cidr.parse),
  6: ["fd6b:7463:746c::/112"].map(Cidr.parse),
};
/** Each pair lies in one of these: room for the two, their network and their broadcast. */
const BLOCK_BITS: Readonly<Record<Family, number>> = { 4: 30, 6: 126 };
/** Other programs begin where a pool does, so this goes from its end, so many blocks far. */
const MOST_TRIES = 32_768;

/**
 * A pair of addresses that clashes with nothing.
 *
 * @param taken Routes and addresses of the machine, and what is to be routed.
 * @throws {UnsupportedError} `TUN_NO_ADDRESS`.
 */
export function chooseTunAddresses(
  family: Family,
  taken: readonly Cidr[],
): TunAddresses {
  const block = 4n;
  for (const pool of POOLS[family]) {
    const near = taken.filter((one) => one.overlaps(pool));
    let first = pool.last - block + 1n;
    for (let i = 0; i < MOST_TRIES && first >= pool.first; i++) {
      if (!overlapsAny(new Cidr(family, first, BLOCK_BITS[family]), near)) {
        return {
          local: formatAddress(family, first + 1n),
          peer: formatAddress(family, first + 2n),
        };
      }
      first -= block;
    }
  }
  throw new UnsupportedError(
    "TUN_NO_ADDRESS",
    `Cannot find a free IPv${family} address for the TUN device`,
    {
      hint: "Another VPN has routes for all of them.",
    },
  );
}
