/** Which addresses Pods have. */
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { NODES, PODS } from "../../kube/resources.ts";
import { Cidr } from "../../net/cidr.ts";
import { isCovered, mergeCidrs } from "../../net/cidr_list.ts";
import { type DiscoveryOptions, listVisible } from "./list_visible.ts";
import { unlessRefused } from "../../kube/unless_refused.ts";

/** Around the address of one Pod, so many others are taken to be Pods too. */
const AROUND_POD = { 4: 24, 6: 64 } as const;
/** So many Pods tell whether the nodes' ranges are right; thousands would take a second and say the same. */
const SAMPLE = { fieldSelector: "status.phase=Running", most: 500 };

export interface PodCidrs {
  readonly cidrs: readonly Cidr[];
  /** No node says where Pods are that come later. */
  readonly areGuessed: boolean;
}

/**
 * The ranges of Pods: the nodes' `podCIDRs`, else what is around the existing Pods. A network that
 * gives Pods other addresses than the nodes' (Calico's and Cilium's own pools do) is noticed by the
 * Pods of the session's namespace, or by others where it has none; then both count.
 */
export async function discoverPodCidrs(
  kube: KubeApi,
  options: DiscoveryOptions,
): Promise<PodCidrs> {
  const request = { ...(options.signal && { signal: options.signal }) };
  const nodes = await unlessRefused(() => kube.list(NODES, request));
  const ofNodes = mergeCidrs((nodes ?? []).flatMap(nodePodCidrs));
  if (ofNodes.length > 0) {
    const sampleOf = async (namespace: string) => {
      const pods = await unlessRefused(() =>
        kube.list(PODS, { ...request, ...SAMPLE, namespace })
      );
      return (pods ?? []).flatMap(podIps);
    };
    const own = await sampleOf(kube.namespace);
    // an empty namespace tells nothing
    const ips = own.length > 0 ? own : await sampleOf("");
    if (ips.every((ip) => isCovered(ip, ofNodes))) {
      return { cidrs: ofNodes, areGuessed: false };
    }
  }
  const pods = await listVisible(kube, PODS, options);
  const ofPods = (pods?.items ?? []).flatMap(podIps)
    .filter((ip) => !isCovered(ip, ofNodes)).map(around);
  const cidrs = mergeCidrs([...ofNodes, ...ofPods]);
  if (cidrs.length === 0) {
    options.warn(
      "POD_RANGE_UNKNOWN",
      "Cannot find the cluster's Pod ranges: no permission to read nodes or Pods, or they have none",
    );
  } else if (nodes === undefined) {
    options.warn(
      "POD_RANGE_GUESSED",
      `The Pod ranges are guessed from the Pods ${
        pods!.everywhere
          ? "that exist"
          : `in namespace "${kube.namespace}", as others cannot be listed`
      }: ${
        cidrs.join(", ")
      }; with permission to list nodes, ktctl would know them`,
    );
  }
  return { cidrs, areGuessed: true };
}

/** What is around a Pod, also one that comes later. */
export function aroundPod(pod: KubeObject): Cidr[] {
  return podIps(pod).map(around);
}

function around(ip: Cidr): Cidr {
  return ip.withPrefix(AROUND_POD[ip.family]);
}

/** What a node gives to its Pods. */
export function nodePodCidrs({ spec }: KubeObject): Cidr[] {
  const texts: readonly string[] = spec?.podCIDRs ?? [spec?.podCIDR ?? ""];
  return texts.flatMap((text) => Cidr.tryParse(text) ?? []);
}

/** A Pod's own addresses: one on the host's network has none, and a finished one no longer. */
function podIps({ spec, status }: KubeObject): Cidr[] {
  if (spec?.hostNetwork === true) return [];
  if (status?.phase === "Succeeded" || status?.phase === "Failed") return [];
  const ips: readonly { ip?: string }[] = status?.podIPs ??
    [{ ip: status?.podIP }];
  return ips.flatMap(({ ip }) => Cidr.tryParse(ip ?? "") ?? []);
}
