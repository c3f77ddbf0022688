import { routedDomains } from "../../net/dns/routed_domains.ts";
import type { RootHelper } from "../../plugins/plugin.ts";
import { OUR_ADDRESS } from "./local_resolver.ts";

/** Where a system sends domains, one by one, to whom they belong. */
export type SplitDnsSystem =
  | { readonly kind: "macos"; readonly port: number }
  | {
    readonly kind: "windows";
    readonly session: string;
    /** A search domain of a device that is ours. */
    readonly suffix?: string;
  }
  | { readonly kind: "systemd-resolved"; readonly device: string };

/** What systemd-resolved takes for a link, with its search domains (LINK_SEARCH_DOMAINS_MAX). */
const MOST_DOMAINS = 256;

export interface SplitDnsOptions {
  readonly root: RootHelper;
  readonly system: SplitDnsSystem;
  readonly clusterDomain: string;
  /** The cluster's addresses, for names of addresses. */
  readonly cidrs: readonly string[];
  readonly includeDomains: readonly string[];
  /** The pod's search domains. */
  readonly search: readonly string[];
  /** Told once of namespaces for which there is no room: `svc.ns` has no domain there. */
  readonly onLeftOut: (namespaces: readonly string[]) => void;
}

/** Leads the cluster's domains to the local DNS server. */
export class SplitDns {
  readonly #options: SplitDnsOptions;
  #done = "";
  #isTold = false;

  constructor(options: SplitDnsOptions) {
    this.#options = options;
  }

  /** As the cluster's namespaces are now: `svc.ns` has a domain for each. */
  async reconcile(namespaces: readonly string[]): Promise<void> {
    const { clusterDomain, cidrs, includeDomains, search, system } =
      this.#options;
    const routed = (namespaces: readonly string[]) =>
      routedDomains({ clusterDomain, namespaces, cidrs, includeDomains });
    const room = system.kind === "systemd-resolved"
      ? Math.max(0, MOST_DOMAINS - search.length - routed([]).length)
      : Infinity;
    const [own = ""] = search[0]?.split(".") ?? [];
    const ordered = namespaces.toSorted((a, b) => +(b === own) - +(a === own));
    if (ordered.length > room && !this.#isTold) {
      this.#isTold = true;
      this.#options.onLeftOut(ordered.slice(room));
    }
    const domains = routed(ordered.slice(0, room));
    if (domains.join() === this.#done) return;
    this.#done = domains.join();
    await this.#install(domains);
  }

  async #install(domains: string[]): Promise<void> {
    const { root, system, search } = this.#options;
    switch (system.kind) {
      case "macos":
        await root.open("resolver.macos", {
          nameserver: "127.0.0.1",
          port: system.port,
          domains,
        });
        return;
      case "windows":
        await root.open("resolver.nrpt", {
          session: system.session,
          nameserver: OUR_ADDRESS,
          domains,
          ...system.suffix !== undefined && { suffix: system.suffix },
        });
        return;
      case "systemd-resolved":
        await root.open("resolver.systemd-resolved", {
          device: system.device,
          nameserver: OUR_ADDRESS,
          search: [...search],
          routed: domains,
        });
    }
  }
}
