import { objectArgs, objectStep } from "../../cluster/object/object_step.ts";
import { statusPortName } from "../../cluster/pod/restricted_pod.ts";
import type { RouterPort } from "../../cluster/router/router_state.ts";
import { findState, routerRef } from "../../cluster/router/router_store.ts";
import { freePort } from "../../cluster/shadow/pod_ports.ts";
import {
  annotation,
  CONTROL_BY,
  CONTROL_BY_KT,
  HEARTBEAT,
  RELEASED,
  SESSION,
} from "../../kube/annotations.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import { PODS, SERVICES } from "../../kube/resources.ts";
import type { PrepareContext } from "../plugin.ts";
import { reconcileService } from "./reconcile_service.ts";

/** Of the Shadow Service, whose other ports have numbers in their names. */
export const CHECK_PORT_NAME = "kt-status";

/**
 * The developer's own Service: the router sends marked requests there, and looks at its health. Somebody may
 * delete it (a prune, say): it is made again under the same address, which is all that the router knows of it.
 */
export async function makeShadowService(
  context: PrepareContext,
  { name, namespace, ports }: {
    name: string;
    namespace: string;
    ports: readonly RouterPort[];
  },
): Promise<void> {
  const { kube, log, scope, heartbeat, session, shadowLabels } = context;
  const check = {
    name: CHECK_PORT_NAME,
    port: freePort(new Set(ports.map(({ servicePort }) => servicePort)), 9900),
    targetPort: statusPortName(ports),
    protocol: "TCP",
  };
  const service: KubeObject = {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name,
      namespace,
      labels: { [CONTROL_BY]: CONTROL_BY_KT },
      annotations: { [SESSION]: session, [HEARTBEAT]: String(kube.now()) },
    },
    spec: {
      selector: shadowLabels,
      ports: [
        ...ports.map(({ name, servicePort }) => ({
          name: `kt-${servicePort}`,
          port: servicePort,
          // the Shadow Pod may have given the port another number than the router
          targetPort: name,
          protocol: "TCP",
        })),
        check,
      ],
    },
  };
  const ref = { resource: SERVICES, name, namespace };
  scope.defer("heartbeat of the Shadow Service", () => heartbeat.remove(ref));
  const made = await scope.run(
    objectStep,
    objectArgs(SERVICES, service, { session }),
    service,
  );
  heartbeat.add(ref);
  const again = { ...service, spec: made.spec };
  const isWanted = (signal: AbortSignal) => isInRouter(context, name, signal);
  scope.background(
    "the Shadow Service",
    (signal) =>
      reconcileService({ kube, log, service: again, isWanted }, signal),
  );
}

/**
 * Whoever takes a session out of the router deletes what it has after that. Where somebody deleted the router's
 * state as well, it is made again in a moment, unless this laptop's own pod was taken back.
 *
 * @param podName Of the Shadow Pod, which is the Shadow Service's as well
 */
async function isInRouter(
  { kube, target: { service }, session }: PrepareContext,
  podName: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { name, namespace = kube.namespace } = service.metadata;
  const state = await findState(kube, routerRef(name, namespace), signal);
  if (state !== undefined) {
    return state.participants.some((one) => one.session === session);
  }
  const ref = { resource: PODS, name: podName, namespace };
  const pod = await kube.find(ref, { signal });
  return pod !== undefined && annotation(pod, SESSION) === session &&
    pod.metadata.deletionTimestamp === undefined &&
    annotation(pod, RELEASED) === undefined;
}
