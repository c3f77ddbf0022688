import { Cidr, formatAddress } from "../cidr.ts";
import { LocalAddresses } from "../local_addresses.ts";

/**
 * Whether anything leads to at least one of the ranges. Without it a connection there is refused by the
 * kernel before the firewall sees a packet that it could redirect. True where that cannot be told.
 */
export function hasRoute(cidrs: readonly string[]): boolean {
  using addresses = new LocalAddresses();
  const canTell = addresses.to("127.0.0.1") !== undefined;
  if (!canTell || cidrs.length === 0) return true;
  return cidrs.map(Cidr.parse).some(({ family, first, last, isSingle }) => {
    // from the middle: at the edges are addresses to which nobody sends
    const sample = isSingle ? first : (first + last) / 2n + 1n;
    return addresses.to(formatAddress(family, sample)) !== undefined;
  });
}
