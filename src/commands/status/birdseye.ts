/** `ktctl birdseye`: the Services of a namespace, and who has them; as the original has it. */
import { type Holding, holdings } from "../../cluster/overview/holdings.ts";
import { counted } from "../../core/counted.ts";
import type { ListEvent } from "../../core/report.ts";
import { isMade } from "../../kube/annotations.ts";
import type { FoundState } from "../../kube/cluster_step.ts";
import type { GlobalOptions } from "../session/global_options.ts";
import type { Host } from "../session/host.ts";
import { openKube } from "../session/session.ts";
import { lookAt } from "./find_holdings.ts";

interface BirdseyeOptions {
  readonly sortBy: "status" | "name";
  readonly showConnector: boolean;
  readonly hideNaturalService: boolean;
  readonly thresholdInMinus: number;
}

export async function birdseye(
  host: Host,
  options: BirdseyeOptions & GlobalOptions,
): Promise<void> {
  const report = host.report(options);
  const kube = await openKube(host, options, report);
  const state = await lookAt(kube, kube.namespace, {
    thresholdMinutes: options.thresholdInMinus,
    signal: host.signal,
    report,
  });
  const held = holdings(state);
  const services = serviceItems(state, held, options);
  report.event(serviceList(services));
  if (options.showConnector) report.event(connectorList(held));
  host.conclude({
    state: "unchanged",
    reason: `${
      counted(services.length, "Service")
    } in namespace "${kube.namespace}"`,
  });
}

/** In the order in which they are listed by status. */
const STATUSES = ["exchanged", "meshed", "previewing", "normal"] as const;

interface ServiceItem {
  readonly service: string;
  readonly namespace: string;
  readonly status: typeof STATUSES[number];
  readonly users: readonly string[];
}

const STATUS_OF = {
  exchange: "exchanged",
  mesh: "meshed",
  preview: "previewing",
} as const;

function serviceItems(
  { services, namespace }: FoundState,
  held: readonly Holding[],
  { sortBy, hideNaturalService }: BirdseyeOptions,
): ServiceItem[] {
  const items = services.flatMap((one): ServiceItem[] => {
    const service = one.metadata.name;
    const theirs = held.filter((holding) => holding.service === service);
    const verbs = theirs.map(({ verb }) => verb);
    const verb = (["exchange", "mesh", "preview"] as const).find((verb) =>
      verbs.includes(verb)
    );
    // what stands in for one of the others is no Service of anybody's
    if (verb === undefined && (isMade(one) || hideNaturalService)) return [];
    const users = [...new Set(theirs.map(({ user }) => user))];
    const status = verb === undefined ? "normal" : STATUS_OF[verb];
    return [{ service, namespace, status, users }];
  });
  const byName = (a: ServiceItem, b: ServiceItem) =>
    a.service < b.service ? -1 : 1;
  return items.sort((a, b) =>
    sortBy === "name"
      ? byName(a, b)
      : STATUSES.indexOf(a.status) - STATUSES.indexOf(b.status) || byName(a, b)
  );
}

function serviceList(items: readonly ServiceItem[]): ListEvent {
  return {
    event: "list",
    kind: "services",
    items,
    table: {
      columns: ["SERVICE", "STATUS", "BY"],
      rows: items.map(({ service, status, users }) => [
        service,
        status,
        users.join(", "),
      ]),
    },
  };
}

function connectorList(held: readonly Holding[]): ListEvent {
  const items = held.filter(({ verb }) => verb === "connect");
  return {
    event: "list",
    kind: "connectors",
    items,
    table: {
      columns: ["CONNECTED", "SINCE", "STATE"],
      rows: items.map(({ user, since = "", state }) => [user, since, state]),
    },
  };
}
