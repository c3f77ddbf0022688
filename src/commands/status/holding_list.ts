import type { Holding } from "../../cluster/overview/holdings.ts";
import { ageText } from "./age_text.ts";
import type { ListEvent } from "../../core/report.ts";
import { type Place, placedCommands } from "../session/flag_hints.ts";

/** Who holds what in the cluster, as `status` tells of it. */
export function holdingList(
  holdings: readonly Holding[],
  { now, place }: { now: number; place: Place },
): ListEvent {
  const items = holdings.map((one) => ({
    ...one,
    undo: placedCommands(undoText(one), place),
  }));
  return {
    event: "list",
    kind: "holdings",
    items,
    table: {
      columns: COLUMNS,
      rows: items.map((item) => [
        item.namespace,
        item.service ?? "",
        item.verb +
        (item.deployment === undefined
          ? ""
          : ` (scaled deploy/${item.deployment})`),
        item.mark ?? "",
        item.user,
        ageText(item.since, now * 1000),
        item.state,
        item.undo,
      ]),
    },
  };
}

const COLUMNS = [
  "NAMESPACE",
  "SERVICE",
  "VERB",
  "MARK",
  "USER",
  "AGE",
  "STATE",
  "RESTORED BY",
];

/** Who can give it back, and by what. */
function undoText(
  { state, user, verb, service, namespace }: Holding,
): string {
  if (state === "dead") return `anybody: ktctl clean -n ${namespace}`;
  if (service === undefined || verb === "preview") return user;
  return `${user}, or anybody: ktctl recover ${service} -n ${namespace} --takeOver`;
}
