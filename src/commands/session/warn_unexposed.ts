import type { PortRoute } from "../../cluster/service/expose.ts";
import type { FoundTarget } from "../../cluster/service/target.ts";
import type { Report } from "../../core/report.ts";
import { includesLabels, originalSelector } from "../../kube/annotations.ts";
import type { RoutingPlan } from "../../plugins/plugin.ts";

/** Of ports that nobody exposed and that the Shadow Pod gets all the same, though it does not listen there. */
export function warnUnexposed(
  report: Pick<Report, "warn">,
  { target: { service }, routing, takesAll, routes }: {
    readonly target: FoundTarget;
    readonly routing: Pick<RoutingPlan, "fallback" | "labels">;
    /** Whether the Shadow Pod is to be the Service's only endpoint. */
    readonly takesAll: boolean;
    readonly routes: readonly PortRoute[];
  },
): void {
  if (routing.fallback) return;
  const unexposed = routes.filter(({ local }) => local === undefined)
    .map(({ servicePort }) => servicePort.port).join(", ");
  if (unexposed === "") return;
  if (takesAll) {
    report.warn(
      "PORTS_NOT_EXPOSED",
      `No answer on port ${unexposed} during the session: it is not in --expose`,
    );
  } else if (isSelected(service, routing)) {
    report.warn(
      "PORTS_NOT_EXPOSED",
      `The Shadow Pod refuses connections on port ${unexposed}, which is not in --expose: it gets some of them, as one more pod of the Service, where no rule of a service mesh leads past it`,
    );
  }
}

/** Kubernetes leads each port of a Service to all its pods, whether or not they listen there. */
function isSelected(
  service: FoundTarget["service"],
  { labels }: Pick<RoutingPlan, "labels">,
): boolean {
  const selector = originalSelector(service);
  return Object.keys(selector).length > 0 && includesLabels(labels, selector);
}
