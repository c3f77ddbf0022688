/** A pod's containers, as they are meant and as they are. */
import * as v from "valibot";
import type { KubeObject } from "../../kube/kube_api.ts";

/** The one that ktctl gives its pods: others are put in by somebody else, such as a service mesh. */
export const OWN_CONTAINER = "standalone";

const text = v.optional(v.string());

const end = v.object({
  reason: text,
  exitCode: v.optional(v.number()),
  message: text,
});

const state = v.object({
  waiting: v.optional(v.object({ reason: text, message: text })),
  running: v.optional(v.object({})),
  terminated: v.optional(end),
});

const status = v.object({
  name: v.string(),
  ready: v.optional(v.boolean()),
  started: v.optional(v.nullable(v.boolean())),
  restartCount: v.optional(v.number(), 0),
  state: v.optional(state),
  lastState: v.optional(state),
});

const statuses = v.fallback(v.array(status), []);

/** How a container ended. */
export type ContainerEnd = v.InferOutput<typeof end>;

export interface PodContainer extends v.InferOutput<typeof status> {
  readonly isOwn: boolean;
  /** It runs beside ours; one that does not has to end before ours is started. */
  readonly runsBeside: boolean;
  /** It runs beside ours, which is not started before it has started. */
  readonly isNativeSidecar: boolean;
}

/** What keeps running in a pod: its containers, and native sidecars among the init containers. */
// deno-lint-ignore no-explicit-any -- open JSON of the API
export function runningContainers(spec: any): any[] {
  return [...spec?.containers ?? [], ...nativeSidecars(spec)];
}

// deno-lint-ignore no-explicit-any -- open JSON of the API
export function allContainers(spec: any): any[] {
  return [...spec?.initContainers ?? [], ...spec?.containers ?? []];
}

/** Kubernetes 1.29 and newer. */
// deno-lint-ignore no-explicit-any -- open JSON of the API
function nativeSidecars(spec: any): any[] {
  // deno-lint-ignore no-explicit-any -- open JSON of the API
  const inits: any[] = spec?.initContainers ?? [];
  return inits.filter(({ restartPolicy }) => restartPolicy === "Always");
}

/** In the order in which they start: init containers first. The kubelet sorts the others by name. */
export function podContainers({ spec, status }: KubeObject): PodContainer[] {
  const sidecars = new Set(nativeSidecars(spec).map(({ name }) => name));
  const inits = v.parse(statuses, status?.initContainerStatuses ?? []);
  const others = v.parse(statuses, status?.containerStatuses ?? []);
  return [
    ...inits.map((one) => ({
      ...one,
      isOwn: false,
      runsBeside: sidecars.has(one.name),
      isNativeSidecar: sidecars.has(one.name),
    })),
    ...others.map((one) => ({
      ...one,
      isOwn: one.name === OWN_CONTAINER,
      runsBeside: true,
      isNativeSidecar: false,
    })),
  ];
}

export function ownContainer(pod: KubeObject): PodContainer | undefined {
  return podContainers(pod).find(({ isOwn }) => isOwn);
}
