/** From what is the cluster's to what is captured: without harm to the networks of this machine. */
import type { Cidr } from "./cidr.ts";
import { excludeCidrs, mergeCidrs, overlapsAny } from "./cidr_list.ts";
import type { LocalNetwork, LocalNetworks } from "./local_network.ts";
import { RESERVED_CIDRS } from "./reserved_cidrs.ts";

/** An address that stays out whatever else is said, and what it is: "the API server". */
export interface KeptOut {
  readonly cidr: Cidr;
  readonly reason: string;
}

export interface CaptureWishes {
  /** The cluster's own ranges. */
  readonly cluster: readonly Cidr[];
  /** `--includeIps`. */
  readonly include?: readonly Cidr[];
  /** `--excludeIps`; wins over `include`. */
  readonly exclude?: readonly Cidr[];
  /** The API server, name servers. This machine's own addresses and its gateways go without saying. */
  readonly keepOut?: readonly KeptOut[];
  readonly local: LocalNetworks;
}

/** A network of this machine that overlaps one of the cluster. */
export interface Clash {
  readonly cluster: Cidr;
  readonly local: LocalNetwork;
  /**
   * `left-out`: the local network is the more specific one and keeps its addresses.
   * `captured`: it is equal or wider; what it has in common with the cluster's goes into the tunnel.
   */
  readonly outcome: "left-out" | "captured";
  /** A sentence for the user. */
  readonly message: string;
}

export interface CapturePlan {
  /** Disjoint, and none equal to a local route, so that a route to each wins over it. */
  readonly cidrs: readonly Cidr[];
  readonly clashes: readonly Clash[];
  /** What was inside the wanted ranges and stays out. */
  readonly keptOut: readonly KeptOut[];
}

/** Pure: finds all clashes before anything is changed. */
export function planCapture(wishes: CaptureWishes): CapturePlan {
  const { cluster, include = [], exclude = [], local } = wishes;
  const wanted = excludeCidrs([...cluster, ...include], [
    ...exclude,
    ...RESERVED_CIDRS,
  ]);
  const keptOut = [
    ...wishes.keepOut ?? [],
    ...local.addresses.map((cidr) => ({ cidr, reason: "this machine" })),
    ...local.gateways.map((cidr) => ({ cidr, reason: "the default gateway" })),
  ].filter(({ cidr }) => overlapsAny(cidr, wanted));
  const clashes = findClashes([...cluster, ...include], wanted, local);
  const cidrs = excludeCidrs(wanted, [
    ...keptOut.map(({ cidr }) => cidr),
    ...clashes.filter(({ outcome }) => outcome === "left-out").map((clash) =>
      clash.local.cidr
    ),
  ]);
  return {
    cidrs: cidrs.flatMap((cidr) => halvesIfRouted(cidr, local)),
    clashes,
    keptOut,
  };
}

function findClashes(
  ranges: readonly Cidr[],
  wanted: readonly Cidr[],
  local: LocalNetworks,
): Clash[] {
  const merged = mergeCidrs(ranges);
  return local.networks.flatMap((network) =>
    merged.filter((range) =>
      range.overlaps(network.cidr) && overlapsAny(network.cidr, wanted)
    ).map((range) => {
      const isInside = range.contains(network.cidr) &&
        !range.equals(network.cidr);
      const outcome = isInside ? "left-out" : "captured";
      const message = describe(range, network, isInside);
      return { cluster: range, local: network, outcome, message };
    })
  );
}

function describe(
  range: Cidr,
  { cidr, device, kind }: LocalNetwork,
  isInside: boolean,
): string {
  const what = kind === "on-link"
    ? `the network ${cidr} of this machine's device "${device}"`
    : `the route to ${cidr} by "${device}"`;
  return isInside
    ? `${what} is part of the cluster's ${range}: it is left alone, so the cluster's addresses there are not reached`
    : `${what} overlaps the cluster's ${range}: its addresses there now lead to the cluster`;
}

/** Of two routes to the same network the older one may win; a narrower one always does. */
function halvesIfRouted(cidr: Cidr, { networks }: LocalNetworks): Cidr[] {
  const isRouted = networks.some((network) => network.cidr.equals(cidr));
  if (!isRouted || cidr.isSingle) return [cidr];
  const lower = cidr.withPrefix(cidr.prefix + 1);
  return [lower, ...excludeCidrs([cidr], [lower])];
}
