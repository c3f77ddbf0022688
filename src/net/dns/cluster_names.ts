import type { DnsQuestion } from "../../link/dns/read_question.ts";
import { TYPE } from "../../link/dns/read_question.ts";
import type { ForeignNames } from "./foreign_names.ts";
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
  readonly foreign: ForeignNames;
}

/**
 * `cluster`: the cluster's answer holds, also where it is "no such name".
 * `shared`: the cluster is asked first, under these names; what it does not know is looked for
 * elsewhere.
 * `public`: the cluster is asked only for what does not exist elsewhere.
 * `other`: none of the cluster's. `reserved`: neither, though a Service may be called so; these names
 * would be its own.
 */
export type NameOwner =
  | {
    readonly kind: "cluster" | "shared" | "public" | "reserved";
    readonly names: readonly string[];
  }
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
  /** Without the node's own search domains, which the kubelet gives to pods as well: their names are a company's. */
  readonly #ownSearch: readonly string[];

  constructor(options: ClusterNamesOptions) {
    this.#options = options;
    this.#domain = normalise(options.clusterDomain);
    this.#included = [
      `svc.${this.#domain}`,
      `pod.${this.#domain}`,
      ...options.includeDomains.map(normalise),
    ];
    this.#cidrs = options.cidrs.map(parseCidr);
    this.#ownSearch = options.search.filter((domain) =>
      isBelow(normalise(domain), this.#domain)
    );
  }

  /** Whose the name is, and the full names to ask the cluster for, best first. */
  ownerOf({ name, labels, type, class: dnsClass }: DnsQuestion): NameOwner {
    if (dnsClass !== 1 || !labels.every(isHostLabel)) return OTHER;
    const whole = [name];
    if (this.#isReservedInFull(name)) return { kind: "reserved", names: whole };
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
    if (isBelow(name, this.#domain)) {
      return this.#shared(name, this.#domain, whole);
    }
    const host = labels.slice(serviceLabels(labels));
    const last = host.at(-1);
    if (last === undefined || type === TYPE.PTR) return OTHER;
    if (last === "svc" && host.length > 2) {
      return { kind: "cluster", names: [`${name}.${this.#domain}`] };
    }
    const { isNamespace, search, foreign } = this.#options;
    const names = completed(name, search);
    if (foreign.isReserved(host.join("."))) {
      if (host.length > 1) return OTHER;
      return { kind: "reserved", names: completed(name, this.#ownSearch) };
    }
    // no Service, pod or namespace begins so
    if (host[0]!.startsWith("_")) return OTHER;
    if (host.length > 1 && !isNamespace(last)) return OTHER;
    if (names.length === 0) return OTHER;
    // who owns a top-level domain has no addresses for it: a short name is not public
    return host.length === 1
      ? { kind: "shared", names }
      : this.#shared(name, last, names);
  }

  #shared(name: string, domain: string, names: readonly string[]): NameOwner {
    const isPublic = this.#options.foreign.isPublic(name, domain);
    return { kind: isPublic ? "public" : "shared", names };
  }

  /** A short name as libc and Windows complete it, by the search domains that we give them. */
  #isReservedInFull(name: string): boolean {
    const { foreign } = this.#options;
    return this.#ownSearch.some((domain, rank) => {
      if (!name.endsWith(`.${domain}`)) return false;
      const labels = name.slice(0, -domain.length - 1).split(".");
      const host = labels.slice(serviceLabels(labels));
      // what is longer is a full name, but below the first, where libc looks for all names
      return (host.length === 1 || rank === 0) &&
        foreign.isReserved(host.join("."));
    });
  }
}

/** How many labels in front name a port, as in `_http._tcp.web`. */
function serviceLabels(labels: readonly string[]): number {
  return labels[0]?.startsWith("_") && labels[1]?.startsWith("_") ? 2 : 0;
}

function completed(name: string, search: readonly string[]): string[] {
  return search.map((domain) => `${name}.${domain}`)
    .filter((full) => full.length <= MAX_NAME);
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
