/** Which addresses are the cluster's: what `connect` takes into its tunnel. */
import type { KubeApi } from "../../kube/kube_api.ts";
import type { Cidr } from "../../net/cidr.ts";
import type { DiscoveryOptions } from "./list_visible.ts";
import { discoverPodCidrs } from "./pod_cidrs.ts";
import { discoverServiceCidrs } from "./service_cidrs.ts";

export interface ClusterCidrs {
  readonly services: readonly Cidr[];
  /** Empty with `disablePodIp`. */
  readonly pods: readonly Cidr[];
  /** No node says where Pods are that come later. */
  readonly arePodsGuessed: boolean;
}

/**
 * Asks the cluster, with whatever rights there are; what is missing is told through `warn`
 * (`SERVICE_RANGE_PARTIAL`, `SERVICE_RANGE_GUESSED`, `SERVICE_RANGE_UNKNOWN`, `POD_RANGE_GUESSED`, `POD_RANGE_UNKNOWN`).
 *
 * @throws {KtctlError} Only if the server cannot be asked at all.
 */
export async function discoverClusterCidrs(
  kube: KubeApi,
  options: DiscoveryOptions & { readonly disablePodIp?: boolean },
): Promise<ClusterCidrs> {
  const [services, pods] = await Promise.all([
    discoverServiceCidrs(kube, options),
    options.disablePodIp ? undefined : discoverPodCidrs(kube, options),
  ]);
  return {
    services,
    pods: pods?.cidrs ?? [],
    arePodsGuessed: pods?.areGuessed ?? false,
  };
}
