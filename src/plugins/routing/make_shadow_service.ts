import { objectArgs, objectStep } from "../../cluster/object/object_step.ts";
import { statusPortName } from "../../cluster/pod/restricted_pod.ts";
import type { RouterPort } from "../../cluster/router/router_state.ts";
import { freePort } from "../../cluster/shadow/pod_ports.ts";
import {
  CONTROL_BY,
  CONTROL_BY_KT,
  HEARTBEAT,
  SESSION,
} from "../../kube/annotations.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import { SERVICES } from "../../kube/resources.ts";
import type { PrepareContext } from "../plugin.ts";

/** Of the Shadow Service, whose other ports have numbers in their names. */
export const CHECK_PORT_NAME = "kt-status";

/** The developer's own Service: the router sends marked requests there, and looks at its health. */
export async function makeShadowService(
  { kube, scope, heartbeat, session, shadowLabels }: PrepareContext,
  { name, namespace, ports }: {
    name: string;
    namespace: string;
    ports: readonly RouterPort[];
  },
): Promise<void> {
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
  await scope.run(
    objectStep,
    objectArgs(SERVICES, service, { session }),
    service,
  );
  heartbeat.add(ref);
}
