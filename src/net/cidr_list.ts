/** Arithmetic on lists of CIDRs. Both families may be in one list; results are sorted and disjoint. */
import { ADDRESS_BITS, Cidr, type Family } from "./cidr.ts";

/** The smallest list of CIDRs with exactly the same addresses. */
export function mergeCidrs(cidrs: readonly Cidr[]): Cidr[] {
  return toCidrs(toRanges(cidrs));
}

/** What is in `cidrs` and in none of `excluded`, as the smallest list. */
export function excludeCidrs(
  cidrs: readonly Cidr[],
  excluded: readonly Cidr[],
): Cidr[] {
  const holes = toRanges(excluded);
  return toCidrs(
    toRanges(cidrs).flatMap((range) => {
      const left: Range[] = [];
      let { first } = range;
      for (const hole of holes) {
        if (hole.family !== range.family || hole.last < first) continue;
        if (hole.first > range.last) break;
        if (hole.first > first) {
          left.push({ ...range, first, last: hole.first - 1n });
        }
        first = hole.last + 1n;
      }
      if (first <= range.last) left.push({ ...range, first });
      return left;
    }),
  );
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

interface Range {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

/** Sorted, without overlaps, neighbours joined. */
function toRanges(cidrs: readonly Cidr[]): Range[] {
  const sorted = cidrs.toSorted((a, b) =>
    a.family - b.family || compare(a.first, b.first)
  );
  const ranges: Range[] = [];
  for (const { family, first, last } of sorted) {
    const before = ranges.at(-1);
    if (before?.family === family && first <= before.last + 1n) {
      if (last > before.last) ranges[ranges.length - 1] = { ...before, last };
    } else ranges.push({ family, first, last });
  }
  return ranges;
}

function toCidrs(ranges: readonly Range[]): Cidr[] {
  return ranges.flatMap(({ family, first, last }) => {
    const cidrs: Cidr[] = [];
    for (let at = first; at <= last;) {
      let prefix = ADDRESS_BITS[family];
      while (prefix > 0) {
        const wider = new Cidr(family, at, prefix - 1);
        if (wider.first !== at || wider.last > last) break;
        prefix--;
      }
      const cidr = new Cidr(family, at, prefix);
      cidrs.push(cidr);
      at = cidr.last + 1n;
    }
    return cidrs;
  });
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
