import { markText } from "../../cluster/router/mesh_mark.ts";
import type { RouteResult, RoutingVerb } from "../../plugins/plugin.ts";
import type { TrafficPlan } from "./plan_traffic.ts";
import { portsText, takenPorts } from "./taken_ports.ts";

const DOING: Readonly<Record<RoutingVerb, string>> = {
  exchange: "Exchanging",
  mesh: "Meshing",
};

/** What `exchange` and `mesh` tell when the traffic comes, with the plugin's own words. */
export function trafficReadyEvent(
  { verb, target, routes, plugin, context: { mark } }: TrafficPlan,
  { message, details, output }: RouteResult,
) {
  const { name, namespace } = target.service.metadata;
  const ports = takenPorts(routes);
  const how = message?.replace(/\.$/, "") ??
    (mark && `Marked by "${markText(mark)}"`);
  const what = `${DOING[verb]} Service "${name}": ${portsText(ports)}`;
  return {
    ...details,
    event: "ready",
    message: [what, how, "Press Ctrl-C to restore it"].filter(Boolean).join(
      ". ",
    ),
    verb,
    mode: plugin.name,
    service: name,
    namespace,
    ports,
    ...(mark && { mark }),
    ...(output === undefined ? {} : { output }),
  } as const;
}
