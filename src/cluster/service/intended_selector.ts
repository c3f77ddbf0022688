import {
  annotation,
  isSwitched,
  ORIGINAL_SELECTOR,
  parseSelector,
} from "../../kube/annotations.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import { writersOfField } from "../keeper/field_managers.ts";
import { appliedSelector } from "./applied_selector.ts";
import { leadsTo, ownPart } from "./service_selector.ts";

type Labels = Readonly<Record<string, string>>;

/** They merge as `kubectl apply` does, but keep what they applied before where we do not see it. */
const HELM = ["helm", "Helm", "helm-controller"];

/**
 * What a Service that `shadow` should have, but that somebody changed, is to return to in the end.
 *
 * - Our labels are gone: somebody replaced the selector (`kubectl replace`, `kubectl set selector`, a
 *   server-side apply, a JSON patch of the whole), and what stands there is meant. A selector of another
 *   session is never intended: its pod goes, and nothing would answer then.
 * - Our labels are still there: somebody merged into it, and meant the selector that the Service had of its
 *   own. `kubectl patch` of one key changes that key and leaves the others. `kubectl apply` does so, too, and
 *   takes away what the manifest before had and this one has not: `applied` tells of that one, the Service's
 *   `last-applied-configuration` of this one. Helm and a server-side apply that left our labels write all of
 *   their manifest's selector: it alone is meant.
 *
 * A key that a merge takes away is not noticed where it changes nothing: our selector has no such key.
 */
export function intendedSelector(
  service: KubeObject,
  { shadow, last, applied }: {
    readonly shadow: Labels;
    /** What it was to return to until now. */
    readonly last: Labels;
    /** The {@link appliedSelector} while it was as we left it. */
    readonly applied: Labels;
  },
): Labels {
  const selector: Labels = service.spec?.selector ?? {};
  const kept = parseSelector(annotation(service, ORIGINAL_SELECTOR)) ?? last;
  if (!leadsTo(service, shadow)) return isSwitched(selector) ? kept : selector;
  const merged = ownPart(selector);
  if (merged === undefined) return kept;
  if (isWhole(service)) return merged;
  const now = appliedSelector(service);
  const stays = Object.entries(kept).filter(([key]) =>
    !Object.hasOwn(applied, key) || Object.hasOwn(now, key)
  );
  return { ...Object.fromEntries(stays), ...merged };
}

/** Whether who wrote into the selector beside us wrote all that a manifest says. */
function isWhole(service: KubeObject): boolean {
  const writer = writersOfField(service, ["spec", "selector"])
    .find(({ manager }) => manager !== "ktctl");
  return writer !== undefined &&
    (writer.operation === "Apply" || HELM.includes(writer.manager));
}
