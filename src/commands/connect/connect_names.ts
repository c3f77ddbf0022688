/** How this machine comes to know the cluster's names while `connect` runs. */
import { NamespaceNames } from "../../cluster/discovery/namespace_names.ts";
import type { AskFrom } from "../../link/dns/ask_server.ts";
import { NameServers } from "../../link/dns/name_servers.ts";
import { messageOf, UnsupportedError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { ClusterLink } from "../../link/wire/cluster_link.ts";
import { capturedServers } from "../../net/dns/captured_servers.ts";
import type { LocalResolver } from "../../net/dns/detect_resolver.ts";
import { DnsResolver } from "../../net/dns/dns_resolver.ts";
import { ForeignNames } from "../../net/dns/foreign_names.ts";
import {
  listenOnLoopback,
  type LoopbackDnsServer,
} from "../../net/dns/loopback_dns_server.ts";
import { LocalAddresses } from "../../net/local_addresses.ts";
import { machineSearch } from "../../net/dns/machine_search.ts";
import { wintunName } from "../../net/tun/windows/wintun_name.ts";
import type { RootHelper, TransportDns } from "../../plugins/plugin.ts";
import type { ConnectOptions } from "./connect_options.ts";
import { followIngresses } from "./follow_ingresses.ts";
import { followResolverFiles } from "./follow_resolver_files.ts";
import { reconcileHosts } from "./reconcile_hosts.ts";
import {
  areAlike,
  askedServers,
  localResolver,
  OUR_ADDRESS,
} from "./local_resolver.ts";
import type { Session } from "../session/session.ts";
import { startReconciling } from "./start_reconciling.ts";
import { serveBridges } from "./serve_bridges.ts";
import { warnOfForeignName } from "./warn_of_foreign_name.ts";
import { SplitDns, type SplitDnsSystem } from "./split_dns.ts";

/** Ports that systems do not give out by themselves (Linux: up to 60999, macOS and Windows: from 49152 on, seldom). */
const OWN_SOURCE_PORTS = { from: 61_000, to: 64_999 };

export interface ConnectNamesOptions {
  readonly session: Session;
  readonly connect: ConnectOptions;
  readonly link: ClusterLink;
  readonly root: RootHelper;
  readonly local: LocalResolver;
  /** The cluster's addresses, for names of addresses. */
  readonly cluster: readonly string[];
  /** The transport leads other name servers' port 53 to the local DNS server, of both families. */
  readonly isLed: boolean;
}

export class ConnectNames {
  readonly #options: ConnectNamesOptions;
  readonly #domain: string;
  readonly #namespaces: NamespaceNames;
  readonly #foreign: ForeignNames;
  readonly #askFrom: AskFrom;
  #resolver: DnsResolver | undefined;
  #servers: readonly string[] = [];
  #bridgeAddresses: readonly string[] = [];
  #server: LoopbackDnsServer | undefined;
  #split: SplitDns | undefined;
  #isBlindTold = false;

  /** With the link up: the pod's resolver is known then. */
  constructor(options: ConnectNamesOptions) {
    this.#options = options;
    this.#namespaces = new NamespaceNames(options.session.kube);
    const addresses = options.session.scope
      .use(new LocalAddresses(), "own addresses");
    this.#askFrom = {
      localPorts: OWN_SOURCE_PORTS,
      localAddressTo: (address) => addresses.to(address),
    };
    this.#foreign = new ForeignNames(options.connect.allowNames);
    this.#domain = options.connect.clusterDomain ??
      domainOf(options.link.resolver.search) ?? "cluster.local";
  }

  /** Throws what {@link serve} would, at once; nothing listens afterwards. */
  static async probe(
    { dnsMode, dnsPort: port }: Pick<ConnectOptions, "dnsMode" | "dnsPort">,
    { isLed }: Pick<ConnectNamesOptions, "isLed">,
  ): Promise<void> {
    if (dnsMode.kind === "hosts" || port === 0) return;
    const answer = () => Promise.resolve(undefined);
    await using _server = await listenOnLoopback({
      port,
      answer,
      alsoIpv6: isLed,
    });
  }

  /**
   * Throws what {@link install} would, before anything is changed. Takes root, as that does; without, only
   * what can be seen without.
   */
  static async probeMachine(
    { connect, root, local }:
      & Pick<ConnectNamesOptions, "connect" | "local">
      & { readonly root: RootHelper | undefined },
  ): Promise<void> {
    if (connect.dnsMode.kind === "hosts") return;
    refuseUnknown(local);
    if (local.kind === "macos" || root === undefined) return;
    const probed = await root.open("dns.probe", { address: OUR_ADDRESS });
    await probed.close();
  }

  /** The link is back: what was known of the cluster may be so no more. */
  refresh(): void {
    this.#resolver?.clearCache();
  }

  /** Starts the local DNS server, which nobody asks yet. */
  async serve(): Promise<TransportDns> {
    const { session, connect, link, local, cluster, root, isLed } =
      this.#options;
    const { scope, report } = session;
    const {
      dnsMode,
      includeBridges,
      includeDomains,
      dnsCacheTtl,
      dnsPort,
      ingressIp,
    } = connect;
    const order = dnsMode.kind === "podDNS"
      ? [{ kind: "cluster" } as const]
      : dnsMode.kind === "localDNS"
      ? dnsMode.order
      : undefined;
    const ingress = ingressIp === undefined
      ? undefined
      : followIngresses(session, ingressIp, this.#foreign);
    const resolver = new DnsResolver({
      link,
      upstreams: local.upstreams,
      areUpstreamsAlike: areAlike(local),
      clusterDomain: this.#domain,
      cidrs: cluster,
      includeDomains,
      linkHosts: session.kube.hosts(),
      foreign: this.#foreign,
      onForeign: (name, reason) => warnOfForeignName(report, name, reason),
      isNamespace: (label) => this.#namespaces.names.includes(label),
      cacheTtlS: dnsCacheTtl,
      askFrom: this.#askFrom,
      ...(order && { order }),
      ...(ingress && { ingressAddresses: ingress.addressesOf }),
    });
    this.#resolver = resolver;
    scope.defer("DNS", () => resolver.close());
    this.#server = scope.use(
      await listenOnLoopback({
        port: dnsPort,
        answer: (query) => resolver.answer(query),
        alsoIpv6: isLed,
      }),
      "DNS server",
    );
    await this.#followNamespaces();
    this.#servers = capturedServers(askedServers(local), local);
    if (includeBridges.length > 0) {
      this.#bridgeAddresses = await serveBridges({
        root,
        report,
        signal: scope.signal,
        names: includeBridges,
        port: this.#server.port,
      });
    }
    return {
      port: this.#server.port,
      servers: this.#servers,
      ownSourcePorts: OWN_SOURCE_PORTS,
      bridgeAddresses: this.#bridgeAddresses,
    };
  }

  /** Where containers and virtual machines can ask. */
  get bridgeAddresses(): readonly string[] {
    return this.#bridgeAddresses;
  }

  /** Whose port 53 a transport is to lead to the local DNS server. */
  get servers(): readonly string[] {
    return this.#servers;
  }

  /** Tells of other name servers that this machine asks now, as after DHCP in another network. */
  async followServers(
    onOthers: (local: LocalResolver) => Promise<void>,
  ): Promise<void> {
    const { local, session: { scope } } = this.#options;
    let asked = askedServers(local).join();
    await startReconciling(scope, {
      name: "name servers",
      follow: (options) =>
        followResolverFiles({
          ...options,
          onBlind: (error) => this.#tellBlind(messageOf(error)),
        }),
      work: async () => {
        const local = await localResolver(scope.signal);
        const servers = askedServers(local);
        if (servers.join() === asked) return;
        asked = servers.join();
        this.#resolver?.setUpstreams(local.upstreams, areAlike(local));
        this.#servers = capturedServers(servers, local, this.#servers);
        await onOthers(local);
      },
    });
  }

  /** Points this machine's resolver to the local DNS server. */
  async install(device: string | undefined): Promise<void> {
    const { root, local, link } = this.#options;
    const { port } = this.#server!;
    refuseUnknown(local);
    if (local.kind !== "macos") {
      await root.open("dns.port53", { address: OUR_ADDRESS, targetPort: port });
    }
    const system = this.#splitSystem(device, port);
    if (system !== undefined) {
      this.#split = this.#splitBy(system);
      return await this.#split.reconcile(this.#namespaces.names);
    }
    await root.open(
      "resolver.resolv-conf",
      { nameserver: OUR_ADDRESS, search: machineSearch(link.resolver) },
      (event) => this.#resolvConfChanged(event),
    );
  }

  #splitSystem(
    device: string | undefined,
    port: number,
  ): SplitDnsSystem | undefined {
    const { local: { kind }, link, session: { id: session } } = this.#options;
    if (kind === "macos") return { kind, port };
    if (kind === "windows") {
      const [suffix] = link.resolver.search;
      const isOurs = device === wintunName(session);
      return { kind, session, ...isOurs && suffix !== undefined && { suffix } };
    }
    if (kind === "systemd-resolved" && device !== undefined) {
      return { kind, device };
    }
    return undefined;
  }

  #splitBy(system: SplitDnsSystem): SplitDns {
    const { connect: { includeDomains }, root, cluster, link } = this.#options;
    return new SplitDns({
      root,
      system,
      clusterDomain: this.#domain,
      cidrs: cluster,
      includeDomains,
      search: machineSearch(link.resolver),
      onLeftOut: ({ length, 0: first }) =>
        this.#options.session.report.warn(
          "NAMESPACES_TOO_MANY",
          `systemd-resolved has no room for the names of ${length} namespaces: what is called "web.${first}" elsewhere is "web.${first}.svc" here`,
        ),
    });
  }

  /** Keeps Services in the hosts file (`--dnsMode hosts`); returns when those of now are there. */
  async installHosts(): Promise<void> {
    const { connect: { dnsMode }, root, session, local } = this.#options;
    await reconcileHosts({
      session,
      root,
      clusterDomain: this.#domain,
      namespaces: dnsMode.kind === "hosts" ? dnsMode.namespaces : [],
      foreign: this.#foreign,
      servers: this.#serversOf(local),
      followServers: (onOthers) =>
        this.followServers((others) => {
          onOthers(this.#serversOf(others));
          return Promise.resolve();
        }),
    });
  }

  #serversOf(local: LocalResolver): NameServers {
    const options = { from: this.#askFrom, areAlike: areAlike(local) };
    return new NameServers(local.upstreams, options);
  }

  async #followNamespaces(): Promise<void> {
    await startReconciling(this.#options.session.scope, {
      name: "namespaces",
      follow: (options) => this.#namespaces.follow(options),
      work: async () => await this.#split?.reconcile(this.#namespaces.names),
    });
  }

  #tellBlind(reason: string): void {
    if (this.#isBlindTold) return;
    this.#isBlindTold = true;
    this.#options.session.report.warn(
      "NAME_SERVERS_NOT_FOLLOWED",
      `Cannot watch this machine's name servers for changes: ${reason}. If they change, run the command again`,
    );
  }

  /** Somebody, such as DHCP in another network, has written the file anew. */
  #resolvConfChanged(event: Json): void {
    const { nameservers = [], kept, reason } = event as {
      nameservers?: string[];
      kept?: boolean;
      reason?: string;
    };
    if (reason !== undefined) return this.#tellBlind(reason);
    const upstreams = nameservers.filter((host) => host !== OUR_ADDRESS)
      .map((host) => ({ host }));
    this.#resolver?.setUpstreams(upstreams);
    if (kept) return;
    this.#options.session.report.warn(
      "RESOLV_CONF_LOST",
      "Cluster names no longer resolve: another program keeps rewriting /etc/resolv.conf",
    );
  }
}

function refuseUnknown({ kind }: LocalResolver): void {
  if (kind !== "none") return;
  throw new UnsupportedError(
    "DNS_UNSUPPORTED",
    "Cannot set up DNS on this system: only Linux, macOS and Windows are supported",
    { hint: "Use --dnsMode hosts, or --disableTunDevice." },
  );
}

/** The cluster's domain, from the search domain `svc.<domain>` of its pods. */
function domainOf(search: readonly string[]): string | undefined {
  return search.find((domain) => domain.startsWith("svc."))?.slice(4);
}
