import type { Duplex } from "node:stream";
import type {
  CallLinkOptions,
  ClusterLink,
  DatagramChannel,
} from "../../link/wire/cluster_link.ts";
import type { ResolvConf } from "../../link/wire/resolv_conf.ts";
import type { EchoTarget } from "./testing_echo.ts";

/**
 * The cluster with the kit's targets in it, under addresses and a name that no network has: who reaches
 * one has gone by the plugin. They lead to the Shadow Pod.
 */
export class KitLink implements ClusterLink {
  readonly #link: ClusterLink;
  readonly #targets: readonly string[];
  readonly #lead: (port: number) => EchoTarget;

  /**
   * @param targets Addresses and names of the kit's.
   * @param lead Where a port of theirs leads.
   */
  constructor(
    link: ClusterLink,
    targets: readonly string[],
    lead: (port: number) => EchoTarget,
  ) {
    this.#link = link;
    this.#targets = targets;
    this.#lead = lead;
  }

  get resolver(): ResolvConf {
    return this.#link.resolver;
  }

  dial(
    host: string,
    port: number,
    options?: CallLinkOptions,
  ): Promise<Duplex> {
    const to = this.#real(host, port);
    return this.#link.dial(to.host, to.port, options);
  }

  openDatagrams(
    host: string,
    port: number,
    options?: CallLinkOptions,
  ): Promise<DatagramChannel> {
    const to = this.#real(host, port);
    return this.#link.openDatagrams(to.host, to.port, options);
  }

  resolve(query: Uint8Array, options?: CallLinkOptions): Promise<Uint8Array> {
    return this.#link.resolve(query, options);
  }

  isReachable(host: string, options?: CallLinkOptions): Promise<boolean> {
    return this.#link.isReachable(this.#real(host, 0).host, options);
  }

  #real(host: string, port: number): EchoTarget {
    return this.#targets.includes(host) ? this.#lead(port) : { host, port };
  }
}
