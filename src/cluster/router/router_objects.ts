/** The Kubernetes objects of a router: its ConfigMap, its Pod, and what keeps that. */
import {
  CONFIG,
  CONTROL_BY,
  CONTROL_BY_KT,
  HEARTBEAT,
  REF_COUNT,
  ROLE,
  ROUTER_STATE,
  routerName,
  TARGET,
  USER,
} from "../../kube/annotations.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import {
  IPV6_VARIABLE,
  MARKS_MAP,
  OTHER_MARKS_MAP,
  ROUTER_DIR,
  routerConfig,
} from "./router_config.ts";
import { routerRecord } from "./router_record.ts";
import type { RouterState } from "./router_state.ts";
import { restrictedPod } from "../pod/restricted_pod.ts";
import type { PodOptions } from "../pod/pod_options.ts";

/**
 * What shapes the Router Pod beside its state: the options of whoever makes it. The image is among
 * them: nobody runs what somebody else wrote into the ConfigMap.
 */
export type RouterPodOptions = Omit<PodOptions, "image" | "asDeployment"> & {
  readonly routerImage: string;
};

/** The labels by which the Service finds the router. */
export function routerLabels(
  { podTarget }: Pick<RouterState, "podTarget">,
): Record<string, string> {
  return { [ROLE]: "router", [TARGET]: podTarget };
}

export function routerConfigMap(
  state: RouterState,
  now: number,
): KubeObject {
  const metadata = {
    ...sharedMetadata(state, now),
    name: routerName(state.service),
  };
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata,
    data: routerRecord(state),
  };
}

/**
 * Shared by all participants: without a session, so that only its heartbeat tells whether it is
 * still wanted.
 */
function sharedMetadata(
  state: RouterState,
  now: number,
): KubeObject["metadata"] {
  return {
    name: state.podName,
    namespace: state.namespace,
    labels: { ...routerLabels(state), [CONTROL_BY]: CONTROL_BY_KT },
    annotations: {
      [HEARTBEAT]: String(now),
      ...ownAnnotations(state),
    },
  };
}

function ownAnnotations(
  { service }: Pick<RouterState, "service">,
): Record<string, string> {
  return { [CONFIG]: `service=${service}`, [ROUTER_STATE]: "1" };
}

/**
 * So long a router that is told to end stays where nobody says that it is not needed any more: another
 * pod may be starting in its place, and since Kubernetes 1.26 the Service leads here for as long as no
 * other is ready.
 */
const STAY_SECONDS = 27;
/** So long it stays after that, for connections on their way to it. */
const LATE_SECONDS = 3;

/**
 * Of memory that haproxy has freed, glibc keeps so much: buffers come and go with each request, and it
 * would give them back to the kernel each time.
 */
const KEPT_BYTES = 64 * 1024 * 1024;

/**
 * Nobody can change the command of a pod that is there: so the configuration is in it, its parts as the
 * shell's arguments. In the ConfigMap it would be another's when the container starts again.
 *
 * Told to end, the router goes on for {@link STAY_SECONDS}, or until somebody closes its status port
 * (`let_router_go.ts`): the shell sees in the kernel's list whether anybody listens there. A moment later
 * it takes no new connections, and goes with the last of the open ones. The stock image's stop signal is USR1,
 * another's may be TERM. The image may have no programs but haproxy, a shell and `sleep`.
 */
function runRouter({ statusPort }: Pick<RouterState, "statusPort">): string {
  const port = statusPort.toString(16).toUpperCase().padStart(4, "0");
  return `printf %s "$@" > ${ROUTER_DIR}/haproxy.cfg || exit
: > ${MARKS_MAP}
: > ${OTHER_MARKS_MAP}
[ ! -e /proc/net/if_inet6 ] || export ${IPV6_VARIABLE}=1
export MALLOC_TRIM_THRESHOLD_=${KEPT_BYTES}
haproxy -db -f ${ROUTER_DIR}/haproxy.cfg & pid=$!
listens() {
  while read -r _ at _ state _; do
    [ "\${at##*:} $state" = "${port} 0A" ] && return
  done < /proc/net/tcp
  return 1
}
end() {
  left=${STAY_SECONDS}
  while [ $left -gt 0 ] && listens; do sleep 1; left=$((left - 1)); done
  sleep ${LATE_SECONDS}
  kill -USR1 $pid
}
trap end TERM USR1
wait $pid; code=$?
while kill -0 $pid 2>/dev/null; do wait $pid; code=$?; done
exit $code`;
}

/** Others' requests may take so long to end before a router that is not needed any more goes. */
export const DRAIN_SECONDS = 3600;

interface RouterOptions {
  readonly user: string;
  readonly pod: RouterPodOptions;
}

export function routerPod(
  state: RouterState,
  { now, ...options }: RouterOptions & { now: number },
): KubeObject {
  const metadata = sharedMetadata(state, now);
  metadata.annotations = {
    ...metadata.annotations,
    [USER]: options.user,
    [REF_COUNT]: String(state.participants.length),
  };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: podSpec(state, options),
  };
}

/**
 * Belongs to the ConfigMap: whoever takes a router back deletes that, also a ktctl that knows of no
 * keeper. The pods that it makes are not marked as made by a ktctl: the original would delete them alone.
 */
export function routerKeeper(
  state: RouterState,
  options: RouterOptions,
): KubeObject {
  const { service, namespace, uid } = state;
  const name = routerName(service);
  const labels = routerLabels(state);
  const annotations = ownAnnotations(state);
  const owner = { apiVersion: "v1", kind: "ConfigMap", name };
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name,
      namespace,
      labels: { ...labels, [CONTROL_BY]: CONTROL_BY_KT },
      annotations,
      ...(uid === undefined ? {} : { ownerReferences: [{ ...owner, uid }] }),
    },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: {
          labels,
          annotations: { ...annotations, [USER]: options.user },
        },
        spec: podSpec(state, options),
      },
    },
  };
}

function podSpec(
  state: RouterState,
  { pod }: RouterOptions,
): Record<string, unknown> {
  return restrictedPod(pod, {
    uid: 99,
    gracePeriodSeconds: DRAIN_SECONDS,
    unprivilegedPortStart: state.lowPorts,
    image: pod.routerImage,
    command: ["sh", "-c", runRouter(state), "router", ...routerConfig(state)],
    ports: state.ports,
    statusPort: state.statusPort,
    isProbed: true,
    isKept: true,
    volumes: [{
      name: "router",
      mountPath: ROUTER_DIR,
      source: { emptyDir: {} },
    }],
  });
}
