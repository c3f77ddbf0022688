/**
 * What becomes of each field of a Service where the Stuntman Service stands in for it, and a pod of ours
 * for its pods. `service_likeness_test.ts` fails for a field of Kubernetes 1.20 to 1.37 that is not here.
 */
import { UnsupportedError } from "../../core/errors.ts";
import {
  label,
  labelSelector,
  originalSelector,
  ROLE,
} from "../../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { PODS } from "../../kube/resources.ts";
import { withAffinityPorts } from "./affinity_ports.ts";

/**
 * - `carried`: the Stuntman Service has it, too.
 * - `entrance`: how clients come to the Service itself, which stays as it is; nobody but our pods comes
 *   to the Stuntman Service.
 * - `own`: it has one of its own.
 * - `refused`: where it cannot be kept, the Service is not taken.
 */
export type Likeness = "carried" | "entrance" | "own" | "refused";

export const SPEC_FIELDS: Readonly<Record<string, Likeness>> = {
  /** With more of them for session affinity. */
  ports: "carried",
  /** The original one. */
  selector: "own",
  /** Without one, or headless: `refuseUnsuitable`. */
  clusterIP: "own",
  clusterIPs: "own",
  /** ExternalName: `refuseUnsuitable`. */
  type: "entrance",
  externalName: "refused",
  externalIPs: "entrance",
  loadBalancerIP: "entrance",
  loadBalancerSourceRanges: "entrance",
  loadBalancerClass: "entrance",
  allocateLoadBalancerNodePorts: "entrance",
  healthCheckNodePort: "entrance",
  sessionAffinity: "carried",
  sessionAffinityConfig: "carried",
  publishNotReadyAddresses: "carried",
  /** The pods may listen on addresses of these families alone. */
  ipFamilies: "carried",
  ipFamilyPolicy: "carried",
  /** Before 1.20, in place of the two. */
  ipFamily: "carried",
  /** A preference. */
  trafficDistribution: "carried",
  /** `Local`: our pod is on one node: {@link refuseSpreadLocal}, {@link localNode}. */
  internalTrafficPolicy: "refused",
  externalTrafficPolicy: "refused",
  /** Up to 1.21; without "*" the same. */
  topologyKeys: "refused",
};

export const PORT_FIELDS: Readonly<Record<string, Likeness>> = {
  name: "carried",
  protocol: "carried",
  appProtocol: "carried",
  port: "carried",
  targetPort: "carried",
  nodePort: "entrance",
};

type Fields = Record<string, unknown>;

function carried(
  object: Fields,
  table: Readonly<Record<string, Likeness>>,
): Fields {
  return Object.fromEntries(
    Object.entries(object).filter(([field]) => table[field] === "carried"),
  );
}

/** The spec of what stands in for a Service, with the selector of its pods. */
export function likeSpec(
  service: KubeObject,
  selector: Readonly<Record<string, string>>,
): KubeObject["spec"] {
  // deno-lint-ignore no-explicit-any -- open JSON of the API
  const ports: any[] = service.spec.ports.map((port: Fields) =>
    carried(port, PORT_FIELDS)
  );
  return {
    ...carried(service.spec, SPEC_FIELDS),
    selector: { ...selector },
    ports: withAffinityPorts(service, ports),
  };
}

/** By which field only pods of the client's own node, zone or the like answer. */
function localField({ spec = {} }: KubeObject): string | undefined {
  const keys: readonly string[] = spec.topologyKeys ?? [];
  if (keys.length > 0 && !keys.includes("*")) return "topologyKeys";
  return ["internalTrafficPolicy", "externalTrafficPolicy"].find((field) =>
    spec[field] === "Local"
  );
}

/** Of the pods that answer, or soon will: not of ours, nor of those that have ended or are about to. */
async function originalNodes(
  kube: KubeApi,
  service: KubeObject,
  signal: AbortSignal,
): Promise<string[]> {
  const pods = await kube.list(PODS, {
    namespace: service.metadata.namespace ?? kube.namespace,
    labelSelector: labelSelector(originalSelector(service)),
    signal,
  });
  const nodes = pods.filter((pod) =>
    label(pod, ROLE) === undefined &&
    pod.metadata.deletionTimestamp === undefined &&
    !["Failed", "Succeeded"].includes(pod.status?.phase)
  ).flatMap(({ spec }) => spec?.nodeName ?? []);
  return [...new Set(nodes)];
}

/**
 * The node that our pod has to be on, as the Service's clients on others get no answer and would get
 * none; undefined where any will do.
 */
export async function localNode(
  kube: KubeApi,
  service: KubeObject,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (localField(service) === undefined) return undefined;
  const [node, ...more] = await originalNodes(kube, service, signal);
  return more.length === 0 ? node : undefined;
}

/**
 * Throws `UnsupportedError` (`SERVICE_LOCAL_TRAFFIC`) where requests are answered on their own node
 * alone, and one pod in place of the original ones would leave nodes without an answer.
 */
export async function refuseSpreadLocal(
  kube: KubeApi,
  service: KubeObject,
  signal: AbortSignal,
): Promise<void> {
  const field = localField(service);
  if (field === undefined) return;
  const nodes = await originalNodes(kube, service, signal);
  if (nodes.length < 2) return;
  throw new UnsupportedError(
    "SERVICE_LOCAL_TRAFFIC",
    `Cannot take Service "${service.metadata.name}": its ${field} is Local, so that each node answers its requests with its own pods. They run on ${nodes.length} nodes, and one pod in their place would leave the other nodes without an answer`,
    {
      hint:
        `Set ${field} to Cluster meanwhile, or take another Service of the same pods.`,
    },
  );
}

/**
 * Where pods get requests before they are ready, one that stands among the original ones from its first
 * moment would break them. Throws `UnsupportedError` (`SERVICE_PUBLISHES_NOT_READY`).
 */
export function refuseEarlyTraffic(
  { metadata, spec }: KubeObject,
  hint: string,
): void {
  if (spec?.publishNotReadyAddresses !== true) return;
  throw new UnsupportedError(
    "SERVICE_PUBLISHES_NOT_READY",
    `Cannot take Service "${metadata.name}" in this mode: it sends requests to pods that are not ready (publishNotReadyAddresses), so that they would reach the Shadow Pod before this laptop is connected`,
    { hint },
  );
}
