import { markText } from "../../cluster/router/mesh_mark.ts";
import type { RouteResult } from "../../plugins/plugin.ts";
import type { RoutingVerb } from "../../plugins/routing_verb.ts";
import type { TrafficPlan } from "./plan_traffic.ts";
import { RESTORE_HINT, type RestoreOptions } from "./restore_options.ts";
import { portsText, type TakenPort, takenPorts } from "./taken_ports.ts";

/** What `exchange`, `mesh` and `preview` tell when the traffic comes, with the plugin's own words. */
export function trafficReadyEvent(
  { verb, target, routes, plugin, context: { mark } }: TrafficPlan,
  { message, details, output }: RouteResult,
  { restoreAfter, failOpen, endText }: Pick<RestoreOptions, "restoreAfter"> & {
    readonly failOpen: boolean;
    /** How to end it, as a sentence without its full stop. */
    readonly endText: (what: string) => string;
  },
) {
  const { name, namespace } = target.service.metadata;
  const ports = takenPorts(routes);
  const how = message?.replace(/\.$/, "") ??
    (mark && `Marked by "${markText(mark)}"`);
  const { what, end } = TEXTS[verb](name, ports);
  return {
    ...details,
    event: "ready",
    message: [what, how, endText(`${end} it`)].filter(Boolean)
      .join(". "),
    verb,
    mode: plugin.name,
    service: name,
    namespace,
    ports,
    failOpen,
    ...(restoreAfter === undefined ? { hint: RESTORE_HINT } : {}),
    ...(mark && { mark }),
    ...(output === undefined ? {} : { output }),
  } as const;
}

const TEXTS: Readonly<
  Record<
    RoutingVerb,
    (name: string, ports: readonly TakenPort[]) => { what: string; end: string }
  >
> = {
  exchange: (name, ports) => ({
    what: `Exchanging Service "${name}": ${portsText(ports)}`,
    end: "restore",
  }),
  mesh: (name, ports) => ({
    what: `Meshing Service "${name}": ${portsText(ports)}`,
    end: "restore",
  }),
  preview: (name, ports) => ({
    what: `Service "${name}" is ready: ${
      ports.map(({ port, local }) =>
        `http://${name}:${port} → localhost:${local}`
      )
        .join(", ")
    }`,
    end: "remove",
  }),
};
