/** Addresses that the cluster gets while `connect` runs. */
import type { KubeApi, KubeObject, Resource } from "../../kube/kube_api.ts";
import { NODES, PODS, SERVICE_CIDRS, SERVICES } from "../../kube/resources.ts";
import type { Cidr } from "../../net/cidr.ts";
import { isCovered, mergeCidrs } from "../../net/cidr_list.ts";
import { unlessRefused } from "../../kube/unless_refused.ts";
import { aroundPod, nodePodCidrs } from "./pod_cidrs.ts";
import { clusterIps, rangesOf } from "./service_cidrs.ts";

export interface FollowOptions {
  /** What is captured already, and what never shall be. */
  readonly known: readonly Cidr[];
  readonly disablePodIp?: boolean;
  /** No node says where Pods are: those of the session's namespace do. */
  readonly arePodsGuessed?: boolean;
  /** Gets what is new, never the same address twice. */
  readonly onAdded: (cidrs: Cidr[]) => void;
  readonly signal: AbortSignal;
}

/**
 * Watches ServiceCIDRs, Services (of all namespaces, else of the session's own), nodes, and where those
 * do not say where Pods are, the Pods of the session's namespace, until the signal ends it. Tells of each
 * address outside the known ranges: a range's, a Service's own, a node's Pods, what is around a Pod. Those that were there before the watch began come in one call. Where none of them may
 * be watched it returns.
 *
 * @throws {KtctlError} if the server cannot be asked at all.
 */
export async function followClusterCidrs(
  kube: KubeApi,
  options: FollowOptions,
): Promise<void> {
  const { signal, disablePodIp, arePodsGuessed, onAdded } = options;
  let known = [...options.known];
  const tell = (cidrs: Cidr[]) => {
    const added = mergeCidrs(cidrs.filter((cidr) => !isCovered(cidr, known)));
    if (added.length === 0) return;
    known = [...known, ...added];
    onAdded(added);
  };
  const follow = (resource: Resource, namespace: string, read: Read) =>
    unlessRefused(async () => {
      let before: Cidr[] | undefined = [];
      const request = { namespace, signal, isPatient: true };
      for await (const event of kube.watch(resource, request)) {
        if (event.type === "SYNCED") {
          tell(before ?? []);
          before = undefined;
        } else if (event.type !== "DELETED") {
          const cidrs = read(event.object);
          if (before === undefined) tell(cidrs);
          else before.push(...cidrs);
        }
      }
      return true;
    });
  const services = async () => {
    await follow(SERVICES, "", clusterIps) ||
      await follow(SERVICES, kube.namespace, clusterIps);
  };
  const ranges = async () => {
    for (const resource of SERVICE_CIDRS) {
      if (await follow(resource, "", rangesOf)) return;
    }
  };
  await Promise.all([
    ranges(),
    services(),
    disablePodIp ? undefined : follow(NODES, "", nodePodCidrs),
    // those of a large cluster are too many to watch
    arePodsGuessed ? follow(PODS, kube.namespace, aroundPod) : undefined,
  ]);
}

type Read = (object: KubeObject) => Cidr[];
