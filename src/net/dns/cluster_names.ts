import type { DnsQuestion } from "../../core/dns/read_question.ts";
import { TYPE } from "../../core/dns/read_question.ts";
import {
  type Cidr,
  contains,
  parseCidr,
  reverseAddress,
} from "./reverse_name.ts";

/** What decides whose a name is. */
export interface ClusterNamesOptions {
  readonly clusterDomain: string;
  /** Search domains of the pod, which complete short names. */
  readonly search: readonly string[];
  /** Addresses of Services and pods: who asks for their names asks the cluster. */
  readonly cidrs: readonly string[];
  /** More domains that only the cluster knows. */
  readonly includeDomains: readonly string[];
  /** Tells `shop.prod` from a name of the Internet. May change while running. */
  readonly isNamespace: (label: string) => boolean;
}

/**
 * `cluster`: the cluster's answer holds, also where it is "no such name".
 * `shared`: the cluster is asked first, under these names; what it does not know is looked for
 * elsewhere. `other`: none of the cluster's.
 */
export type NameOwner =
  | { readonly kind: "cluster" | "shared"; readonly names: readonly string[] }
  | { readonly kind: "other" };

/** Of a name in text; on the wire it takes two bytes more. */
const MAX_NAME = 253;
const OTHER: NameOwner = { kind: "other" };

/** Tells the cluster's names from the rest. */
export class ClusterNames {
  readonly #options: ClusterNamesOptions;
  readonly #domain: string;
  readonly #included: readonly string[];
  readonly #cidrs: readonly Cidr[];

  constructor(options: ClusterNamesOptions) {
    this.#options = options;
    this.#domain = normalise(options.clusterDomain);
    this.#included = [
      `svc.${this.#domain}`,
      `pod.${this.#domain}`,
      ...options.includeDomains.map(normalise),
    ];
    this.#cidrs = options.cidrs.map(parseCidr);
  }

  /** Whose the name is, and the full names to ask the cluster for, best first. */
  ownerOf({ name, labels, type, class: dnsClass }: DnsQuestion): NameOwner {
    if (dnsClass !== 1 || !labels.every(isHostLabel)) return OTHER;
    const whole = [name];
    if (this.#included.some((domain) => isBelow(name, domain))) {
      return { kind: "cluster", names: whole };
    }
    const address = reverseAddress(name);
    if (address !== undefined) {
      return this.#cidrs.some((cidr) => contains(cidr, address))
        ? { kind: "cluster", names: whole }
        : OTHER;
    }
    // other names below the domain: a cluster may have taken a domain of the Internet for its own
    if (isBelow(name, this.#domain)) return { kind: "shared", names: whole };
    const host = labels.slice(serviceLabels(labels));
    const last = host.at(-1);
    if (last === undefined || type === TYPE.PTR) return OTHER;
    if (last === "svc" && host.length > 2) {
      return { kind: "cluster", names: [`${name}.${this.#domain}`] };
    }
    if (host.length > 1 && !this.#options.isNamespace(last)) return OTHER;
    const names = this.#options.search.map((domain) => `${name}.${domain}`)
      .filter((full) => full.length <= MAX_NAME);
    return names.length === 0 ? OTHER : { kind: "shared", names };
  }
}

/** How many labels in front name a port, as in `_http._tcp.web`. */
function serviceLabels(labels: readonly string[]): number {
  return labels[0]?.startsWith("_") && labels[1]?.startsWith("_") ? 2 : 0;
}

function isBelow(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`);
}

function isHostLabel(label: string): boolean {
  return /^[a-z0-9_*-]+$/.test(label);
}

function normalise(domain: string): string {
  return domain.toLowerCase().replace(/^[*]?\.|\.$/g, "");
}
