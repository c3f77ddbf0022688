/** Arithmetic on lists of CIDRs. Both families may be in one list; results are sorted and disjoint. */
import { excludeCidr, mergeCidr } from "cidr-tools";
import { Cidr, type Family } from "./cidr.ts";

/** The smallest list of CIDRs with exactly the same addresses. */
export function mergeCidrs(cidrs: readonly Cidr[]): Cidr[] {
  return mergeCidr(cidrs.map(String)).map(Cidr.parse);
}

/** What is in `cidrs` and in none of `excluded`, as the smallest list. */
export function excludeCidrs(
  cidrs: readonly Cidr[],
  excluded: readonly Cidr[],
): Cidr[] {
  return excludeCidr(cidrs.map(String), excluded.map(String)).map(Cidr.parse);
}

/** Whether any address is in both. */
export function overlapsAny(cidr: Cidr, list: readonly Cidr[]): boolean {
  return list.some((one) => one.overlaps(cidr));
}

/** Whether `cidr` is inside one of the list. For a merged list: whether the list has all of it. */
export function isCovered(cidr: Cidr, list: readonly Cidr[]): boolean {
  return list.some((one) => one.contains(cidr));
}

/**
 * The fewest CIDRs that contain all of `addresses`, none wider than allowed unless neighbours are
 * joined, each as narrow as can be: a guess at ranges of which only some addresses are known.
 */
export function coverAddresses(
  addresses: readonly Cidr[],
  widest: Readonly<Record<Family, number>>,
): Cidr[] {
  const blocks = new Map<string, Cidr[]>();
  for (const address of addresses) {
    const prefix = Math.min(widest[address.family], address.prefix);
    const block = address.withPrefix(prefix).toString();
    blocks.set(block, [...blocks.get(block) ?? [], address]);
  }
  return mergeCidrs([...blocks.values()].map(enclosing));
}

/** The narrowest CIDR around some of one family. */
function enclosing(cidrs: readonly Cidr[]): Cidr {
  const [one, ...more] = cidrs as [Cidr, ...Cidr[]];
  let around = one;
  for (const cidr of more) {
    while (!around.contains(cidr)) {
      around = around.withPrefix(around.prefix - 1);
    }
  }
  return around;
}
