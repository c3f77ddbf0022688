/** The Kubernetes objects of a router: its ConfigMap and its Pod. */
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
} from "../kube/contract.ts";
import type { KubeObject } from "../kube/kube_api.ts";
import { ROUTER_DIR, routerFiles } from "./router_config.ts";
import { routerRecord, STATE_KEY } from "./router_record.ts";
import type { RouterState } from "./router_state.ts";
import { restrictedPod } from "./restricted_pod.ts";
import type { PodOptions } from "./shadow_spec.ts";

export const ROUTER_IMAGE = "haproxy:2.6";

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

/** The data of the ConfigMap. */
export function routerData(state: RouterState): Record<string, string> {
  return { ...routerFiles(state), [STATE_KEY]: routerRecord(state) };
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
    data: routerData(state),
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
      [CONFIG]: `service=${state.service}`,
      [ROUTER_STATE]: "1",
    },
  };
}

/**
 * Told to end, the router first stays for connections on their way to it, then takes no new ones and
 * goes with the last of the open ones. The stock image's stop signal is USR1, another's may be TERM.
 */
const RUN_ROUTER = `haproxy -db -f ${ROUTER_DIR}/haproxy.cfg & pid=$!
trap 'sleep 3; kill -USR1 $pid' TERM USR1
wait $pid; code=$?
while kill -0 $pid 2>/dev/null; do wait $pid; code=$?; done
exit $code`;

/** Others' requests may take so long to end before a router that is not needed any more goes. */
export const DRAIN_SECONDS = 3600;

export function routerPod(
  state: RouterState,
  { now, user, pod }: {
    now: number;
    user: string;
    pod: RouterPodOptions;
  },
): KubeObject {
  const metadata = sharedMetadata(state, now);
  metadata.annotations = {
    ...pod.annotations,
    ...metadata.annotations,
    [USER]: user,
    [REF_COUNT]: String(state.participants.length),
  };
  metadata.labels = { ...pod.labels, ...metadata.labels };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: restrictedPod(pod, {
      uid: 99,
      gracePeriodSeconds: DRAIN_SECONDS,
      unprivilegedPortStart: state.lowPorts,
      image: pod.routerImage,
      command: ["sh", "-c", RUN_ROUTER],
      ports: state.ports,
      statusPort: state.statusPort,
      isProbed: true,
      volumes: [{
        name: "router",
        mountPath: ROUTER_DIR,
        source: { configMap: { name: routerName(state.service) } },
      }],
    }),
  };
}
