/** Which addresses `connect` captures, from the start and as the cluster grows. */
import { apiServerAddresses } from "../../cluster/discovery/api_server_addresses.ts";
import {
  type ClusterCidrs,
  discoverClusterCidrs,
} from "../../cluster/discovery/cluster_cidrs.ts";
import { followClusterCidrs } from "../../cluster/discovery/follow_cidrs.ts";
import { exec } from "../../core/exec.ts";
import type { Report } from "../../core/report.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import {
  type CapturePlan,
  type KeptOut,
  planCapture,
} from "../../net/capture_plan.ts";
import { Cidr } from "../../net/cidr.ts";
import { readLocalNetworks } from "../../net/local_networks.ts";
import type { LocalNetworks } from "../../net/local_network.ts";
import type { ConnectOptions } from "./connect_options.ts";

export interface CapturedRangesOptions {
  readonly kube: KubeApi;
  readonly report: Report;
  readonly signal: AbortSignal;
  readonly connect: Pick<
    ConnectOptions,
    "disablePodIp" | "includeIps" | "excludeIps"
  >;
  /** Name servers that this machine asks. */
  readonly nameServers: readonly string[];
  /** @default those of this machine */
  readonly readNetworks?: (signal: AbortSignal) => Promise<LocalNetworks>;
}

export class CapturedRanges {
  readonly #options: CapturedRangesOptions;
  #local: LocalNetworks;
  /** Of all times: where the name does not resolve for a moment, they stay left out. */
  readonly #apiServers = new Map<string, Cidr>();
  #cluster: readonly Cidr[];
  readonly #arePodsGuessed: boolean;
  #plan: CapturePlan = { cidrs: [], clashes: [], keptOut: [] };
  readonly #told = new Set<string>();
  #nameServers: readonly string[];
  #planning = Promise.resolve();

  private constructor(
    options: CapturedRangesOptions,
    { local, cluster }: {
      local: LocalNetworks;
      cluster: ClusterCidrs;
    },
  ) {
    this.#options = options;
    this.#local = local;
    this.#cluster = [...cluster.services, ...cluster.pods];
    this.#arePodsGuessed = cluster.arePodsGuessed;
    this.#nameServers = options.nameServers;
  }

  /** Asks the cluster and this machine; changes nothing. Warns of every clash. */
  static async find(options: CapturedRangesOptions): Promise<CapturedRanges> {
    const { kube, report, signal, connect: { disablePodIp } } = options;
    const warn = (code: string, message: string) => report.warn(code, message);
    const [cluster, local] = await Promise.all([
      discoverClusterCidrs(kube, { signal, warn, disablePodIp }),
      readNetworks(options),
    ]);
    const ranges = new CapturedRanges(options, { local, cluster });
    await ranges.#change(() => {});
    return ranges;
  }

  /** What to capture now. */
  get cidrs(): string[] {
    return this.#plan.cidrs.map(String);
  }

  /** All that is the cluster's, captured or not. */
  get cluster(): string[] {
    return this.#cluster.map(String);
  }

  /**
   * Until the signal ends it: tells of addresses that the cluster gets outside of the known ranges.
   * {@link cidrs} has them then.
   */
  async follow(
    signal: AbortSignal,
    onAdded: (added: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const { kube, connect: { disablePodIp, includeIps, excludeIps } } =
      this.#options;
    const failed = Promise.withResolvers<never>();
    await Promise.race([
      failed.promise,
      followClusterCidrs(kube, {
        known: [...this.#cluster, ...includeIps, ...excludeIps],
        disablePodIp,
        arePodsGuessed: this.#arePodsGuessed,
        signal,
        onAdded: (cidrs) => {
          this.#change(() =>
            void (this.#cluster = [...this.#cluster, ...cidrs])
          )
            .then(() => onAdded(cidrs.map(String))).catch(failed.reject);
        },
      }),
    ]);
  }

  /** This machine asks other name servers now. {@link cidrs} goes without them then. */
  setNameServers(nameServers: readonly string[]): Promise<void> {
    return this.#change(() => void (this.#nameServers = nameServers));
  }

  /**
   * This machine may be in other networks now, in which the API server's name may lead elsewhere.
   * {@link cidrs} goes without what they need then.
   *
   * @param device Our own, whose routes are no network of the machine's.
   */
  setNetworks(device: string | undefined): Promise<void> {
    return this.#change(async () => {
      const { networks, ...own } = await readNetworks(this.#options);
      const others = networks.filter((one) => one.device !== device);
      this.#local = { ...own, networks: others };
    });
  }

  /** One change at a time: each plan is made of all that was known before. */
  #change(apply: () => void | Promise<void>): Promise<void> {
    const planned = this.#planning.then(async () => {
      await apply();
      this.#plan = await this.#makePlan();
      this.#tellClashes();
    });
    this.#planning = planned.catch(() => {}); // whoever asked for it is told
    return planned;
  }

  async #makePlan(): Promise<CapturePlan> {
    const { kube, signal, connect } = this.#options;
    for (const cidr of await apiServerAddresses(kube, { signal })) {
      this.#apiServers.set(`${cidr}`, cidr);
    }
    const keepOut: KeptOut[] = [
      ...[...this.#apiServers.values()].map((cidr) => ({
        cidr,
        reason: "the API server",
      })),
      ...this.#nameServers.flatMap((server) => {
        const cidr = Cidr.tryParse(server);
        return cidr ? [{ cidr, reason: "a name server of this machine" }] : [];
      }),
    ];
    return planCapture({
      cluster: this.#cluster,
      include: connect.includeIps,
      exclude: connect.excludeIps,
      keepOut,
      local: this.#local,
    });
  }

  #tellClashes(): void {
    for (const { message, outcome } of this.#plan.clashes) {
      if (this.#told.has(message)) continue;
      this.#told.add(message);
      this.#options.report.warn(
        outcome === "left-out" ? "RANGE_LEFT_OUT" : "RANGE_OVERLAPS",
        message,
      );
    }
  }
}

function readNetworks(
  { signal, readNetworks: read }: CapturedRangesOptions,
): Promise<LocalNetworks> {
  return read?.(signal) ?? readLocalNetworks(exec, { signal });
}
