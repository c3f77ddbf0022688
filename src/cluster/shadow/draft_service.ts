import type { KubeObject } from "../../kube/kube_api.ts";
import { SERVICES } from "../../kube/resources.ts";
import {
  FIRST_FREE_PORT,
  FIRST_UNPRIVILEGED_PORT,
  freePort,
} from "./pod_ports.ts";

/** A Service to be: its ports lead to ones for which a Shadow Pod needs no privilege. It has no selector yet. */
export function draftService(
  { name, namespace, ports }: {
    name: string;
    namespace: string;
    ports: readonly number[];
  },
): KubeObject {
  const taken = new Set(ports);
  const targetOf = (port: number): number => {
    if (port >= FIRST_UNPRIVILEGED_PORT) return port;
    const free = freePort(taken, FIRST_FREE_PORT);
    taken.add(free);
    return free;
  };
  return {
    apiVersion: SERVICES.apiVersion,
    kind: SERVICES.kind,
    metadata: { name, namespace },
    spec: {
      ports: ports.map((port) => ({
        name: `kt-${port}`,
        port,
        targetPort: targetOf(port),
        protocol: "TCP",
      })),
    },
  };
}
