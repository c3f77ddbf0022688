import { ConflictError } from "../../core/errors.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import {
  type ServicePort,
  servicePorts,
} from "../../cluster/service/expose.ts";
import type {
  RouterPort,
  RouterState,
} from "../../cluster/router/router_state.ts";

/**
 * A router has all ports from the first, and whoever is in it ends when its Service gets others.
 * Throws `ConflictError` (`SERVICE_PORTS_CHANGED`).
 */
export function refuseRouterOfOtherPorts(
  service: KubeObject,
  state: RouterState,
): void {
  const ports = servicePorts(service);
  const isServed = ports.every((port) =>
    state.ports.some((its) => isFor(port, its))
  );
  const areThere = state.ports.every((its) =>
    ports.some((one) => one.port === its.servicePort && isFor(one, its))
  );
  if (isServed && areThere) return;
  throw new ConflictError(
    "SERVICE_PORTS_CHANGED",
    `Cannot join the router of Service "${state.service}": it was made for other ports than the Service has now`,
    { hint: "Try again when everybody has left it." },
  );
}

function isFor({ targetPort }: ServicePort, { name, port }: RouterPort) {
  return targetPort === name || targetPort === port;
}
