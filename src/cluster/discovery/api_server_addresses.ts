import { lookup } from "node:dns/promises";
import { pause } from "../../core/backoff.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { Cidr } from "../../net/cidr.ts";

/** How long this machine's resolver may take. */
const LOOKUP_MS = 5_000;

export interface ApiServerAddressesOptions {
  readonly signal?: AbortSignal;
  /** All addresses of a name. @default this machine's resolver */
  readonly resolve?: (host: string) => Promise<string[]>;
}

/**
 * The addresses that must never enter the tunnel, as the tunnel runs over them: all that the API
 * server's name has on this machine, and those that connections really went to (a proxy's).
 */
export async function apiServerAddresses(
  kube: KubeApi,
  options: ApiServerAddressesOptions = {},
): Promise<Cidr[]> {
  const host = new URL(kube.server).hostname.replace(/^\[|\]$/g, "");
  const named = Cidr.tryParse(host) === undefined
    ? await lookUp(host, options)
    : [host];
  const addresses = [...named, ...kube.peers()];
  const cidrs = addresses.flatMap((text) =>
    Cidr.tryParse(text.replace(/%.*$/, "")) ?? []
  );
  return [...new Map(cidrs.map((cidr) => [`${cidr}`, cidr])).values()];
}

/** A name that does not resolve here is a proxy's matter: then {@link KubeApi.peers} tells. */
async function lookUp(
  host: string,
  { resolve = resolveAll, signal }: ApiServerAddressesOptions,
): Promise<string[]> {
  const done = new AbortController();
  const ended = AbortSignal.any(signal ? [done.signal, signal] : [done.signal]);
  try {
    return await Promise.race([
      resolve(host).catch(() => []),
      pause(LOOKUP_MS, ended).then(() => []),
    ]);
  } finally {
    done.abort();
  }
}

async function resolveAll(host: string): Promise<string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
