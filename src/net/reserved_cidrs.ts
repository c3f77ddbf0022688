import { Cidr } from "./cidr.ts";
import { overlapsAny } from "./cidr_list.ts";

/** Addresses that mean something on one machine or link alone: never a cluster's. */
export const RESERVED_CIDRS: readonly Cidr[] = [
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "224.0.0.0/4",
  "255.255.255.255/32",
  "::/127",
  "fe80::/10",
  "ff00::/8",
].map(Cidr.parse);

/** Whether it has none of the reserved addresses, and is not half of all there are. */
export function isOrdinary(cidr: Cidr): boolean {
  return cidr.prefix > 1 && !overlapsAny(cidr, RESERVED_CIDRS);
}
