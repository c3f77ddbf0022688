/** On which nodes a workload's pods may run: a pod that stands in for them is to find one there too. */
import * as v from "valibot";
import { PermissionError } from "../../core/errors.ts";
import {
  label,
  labelSelector,
  originalSelector,
  ROLE,
} from "../../kube/annotations.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { PODS } from "../../kube/resources.ts";
import type { PodOptions } from "./pod_options.ts";
import type { FoundTarget } from "../service/target.ts";
import { isOfHealth, type Toleration } from "./toleration.ts";
import { tolerationSchema } from "./toleration_schema.ts";

type Placement = Pick<PodOptions, "nodeSelector" | "tolerations">;

const podSpec = v.object({
  os: v.optional(v.object({ name: v.optional(v.string()) })),
  nodeSelector: v.optional(v.record(v.string(), v.string()), {}),
  tolerations: v.optional(
    v.array(v.object({
      ...tolerationSchema.entries,
      tolerationSeconds: v.optional(v.nullable(v.number())),
    })),
    [],
  ),
});

type PodSpec = v.InferOutput<typeof podSpec>;

const OS = ["kubernetes.io/os", "beta.kubernetes.io/os"];
/** The image has to suit it, and ours is another one. */
const ARCHITECTURE = ["kubernetes.io/arch", "beta.kubernetes.io/arch"];

/** The options, and what they leave open as the workload has it. */
export async function placedAsWorkload(
  kube: KubeApi,
  options: PodOptions,
  { target, signal }: { target: FoundTarget; signal: AbortSignal },
): Promise<PodOptions> {
  const specs = (await workloadSpecs(kube, target, signal)).flatMap((spec) => {
    const { success, output } = v.safeParse(podSpec, spec);
    return success && !isWindows(output) ? [output] : [];
  });
  const workload = commonPlacement(specs);
  const isOwn = Object.keys(options.nodeSelector).length > 0;
  return {
    ...options,
    nodeSelector: isOwn ? options.nodeSelector : workload.nodeSelector,
    tolerations: distinct([...options.tolerations, ...workload.tolerations]),
  };
}

/** Of the pods that the Service selects and that have found a node: ours will then find one too. */
async function workloadSpecs(
  kube: KubeApi,
  { service }: FoundTarget,
  signal: AbortSignal,
): Promise<unknown[]> {
  const selector = originalSelector(service);
  if (Object.keys(selector).length === 0) return [];
  try {
    const pods = await kube.list(PODS, {
      namespace: service.metadata.namespace ?? kube.namespace,
      labelSelector: labelSelector(selector),
      signal,
    });
    return pods.filter((pod) =>
      label(pod, ROLE) === undefined &&
      pod.metadata.deletionTimestamp === undefined &&
      pod.spec?.nodeName !== undefined
    ).map(({ spec }) => spec);
  } catch (error) {
    if (error instanceof PermissionError) return []; // then the options alone say
    throw error;
  }
}

/** Where each of them may run. */
function commonPlacement(specs: readonly PodSpec[]): Placement {
  const [first, ...others] = specs;
  const common = Object.entries(first?.nodeSelector ?? {}).filter((
    [key, value],
  ) =>
    !ARCHITECTURE.includes(key) &&
    others.every(({ nodeSelector }) => nodeSelector[key] === value)
  );
  return {
    nodeSelector: Object.fromEntries(common),
    tolerations: specs.flatMap(({ tolerations }) =>
      tolerations.flatMap(ourToleration)
    ),
  };
}

/**
 * Not one for a while: it says when to leave, and a pod of ours would come back, again and again. Nor one
 * of a node that is not well, as Kubernetes itself adds them. Who tolerates everything is followed onto
 * nodes set apart, but not onto those that pods are to leave.
 */
function ourToleration(
  { tolerationSeconds, ...given }: PodSpec["tolerations"][number],
): Toleration[] {
  if (typeof tolerationSeconds === "number") return [];
  const { key = "", effect = "" } = given;
  if (key !== "") return isOfHealth(key) ? [] : [given];
  return effect === "NoExecute"
    ? []
    : [{ operator: "Exists", effect: effect === "" ? "NoSchedule" : effect }];
}

function isWindows({ os, nodeSelector }: PodSpec): boolean {
  return os?.name === "windows" ||
    OS.some((key) => nodeSelector[key] === "windows");
}

function distinct(tolerations: readonly Toleration[]): Toleration[] {
  const byText = tolerations.map((one) =>
    [JSON.stringify(Object.entries(one).toSorted()), one] as const
  );
  return [...new Map(byText).values()];
}
