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
} from "../../kube/annotations.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import {
  IPV6_VARIABLE,
  MARKS_MAP,
  OTHER_MARKS_MAP,
  ROUTER_DIR,
  routerConfig,
} from "./router_config.ts";
import { routerRecord, STATE_KEY } from "./router_record.ts";
import type { RouterState } from "./router_state.ts";
import { restrictedPod } from "../pod/restricted_pod.ts";
import type { PodOptions } from "../pod/pod_options.ts";

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
    data: { [STATE_KEY]: routerRecord(state) },
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
 * Nobody can change the command of a pod that is there: so the configuration is in it, its parts as the
 * shell's arguments. In the ConfigMap it would be another's when the container starts again.
 *
 * Told to end, the router first stays for connections on their way to it, then takes no new ones and
 * goes with the last of the open ones. The stock image's stop signal is USR1, another's may be TERM.
 */
const RUN_ROUTER = `printf %s "$@" > ${ROUTER_DIR}/haproxy.cfg || exit
: > ${MARKS_MAP}
: > ${OTHER_MARKS_MAP}
[ ! -e /proc/net/if_inet6 ] || export ${IPV6_VARIABLE}=1
haproxy -db -f ${ROUTER_DIR}/haproxy.cfg & pid=$!
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
    ...metadata.annotations,
    [USER]: user,
    [REF_COUNT]: String(state.participants.length),
  };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: restrictedPod(pod, {
      uid: 99,
      gracePeriodSeconds: DRAIN_SECONDS,
      unprivilegedPortStart: state.lowPorts,
      image: pod.routerImage,
      command: ["sh", "-c", RUN_ROUTER, "router", ...routerConfig(state)],
      ports: state.ports,
      statusPort: state.statusPort,
      isProbed: true,
      volumes: [{
        name: "router",
        mountPath: ROUTER_DIR,
        source: { emptyDir: {} },
      }],
    }),
  };
}
