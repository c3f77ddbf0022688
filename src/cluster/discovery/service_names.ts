import { isIP } from "node:net";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { SERVICES } from "../../kube/resources.ts";
import type { NamedService } from "../../net/dns/service_hosts.ts";
import {
  FollowedObjects,
  type FollowObjectsOptions,
} from "./followed_objects.ts";
import { clusterIps } from "./service_cidrs.ts";
import {
  readyEndpoints,
  serviceOf,
  watchEndpoints,
} from "../service/service_endpoints.ts";

/** The Services of some namespaces with their addresses: of headless ones, those of their pods. */
export class ServiceNames {
  readonly #kube: KubeApi;
  readonly #namespaces: readonly string[];
  readonly #services = new FollowedObjects();
  readonly #endpoints = new FollowedObjects();

  constructor(kube: KubeApi, namespaces: readonly string[]) {
    this.#kube = kube;
    this.#namespaces = namespaces;
  }

  /**
   * Until the signal ends it.
   *
   * @param onRefused Told of each namespace whose Services may not be watched.
   */
  async follow(
    options: FollowObjectsOptions,
    onRefused: (namespace: string) => void,
  ): Promise<void> {
    const missing = new Set(
      this.#namespaces.flatMap((namespace) => [
        `services/${namespace}`,
        `endpoints/${namespace}`,
      ]),
    );
    const known = (what: string) => () => {
      missing.delete(what);
      if (missing.size === 0) options.onChange();
    };
    await Promise.all(this.#namespaces.flatMap((namespace) => [
      this.#services.follow(this.#kube, SERVICES, {
        ...options,
        namespace,
        onChange: known(`services/${namespace}`),
      }).then((isOver) => {
        if (!isOver) onRefused(namespace);
        known(`services/${namespace}`)();
      }),
      this.#endpoints.followEvents(
        watchEndpoints(this.#kube, { namespace, signal: options.signal }),
        { onChange: known(`endpoints/${namespace}`) },
      ).then(known(`endpoints/${namespace}`)),
    ]));
  }

  /** By namespace and name. */
  get services(): NamedService[] {
    const endpoints = Map.groupBy(
      this.#endpoints.all,
      (one) => `${one.metadata.namespace ?? ""}/${serviceOf(one) ?? ""}`,
    );
    return this.#services.all.map((service) => {
      const { name, namespace = "" } = service.metadata;
      const own = clusterIps(service).map(({ address }) => address);
      const addresses = own.length > 0
        ? own
        : podIps(endpoints.get(keyOf(service)));
      return { key: keyOf(service), name, namespace, addresses };
    }).sort((one, other) => one.key.localeCompare(other.key));
  }
}

function keyOf({ metadata: { name, namespace = "" } }: KubeObject): string {
  return `${namespace}/${name}`;
}

function podIps(endpoints: readonly KubeObject[] = []): string[] {
  const addresses = endpoints.flatMap(readyEndpoints)
    .flatMap(({ addresses }) => addresses);
  // somebody's own slice may have names of hosts in it
  return [...new Set(addresses)].filter((address) => isIP(address) !== 0);
}
