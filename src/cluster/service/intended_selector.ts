import {
  annotation,
  isSwitched,
  ORIGINAL_SELECTOR,
  parseSelector,
} from "../../kube/annotations.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import { leadsTo, ownPart } from "./service_selector.ts";

type Labels = Readonly<Record<string, string>>;

/**
 * What a Service that `shadow` should have, but that somebody changed, is to return to in the end. A
 * selector of another session is never intended: its pod goes, and nothing would answer then.
 */
export function intendedSelector(
  service: KubeObject,
  { shadow, last }: {
    readonly shadow: Labels;
    /** What it was to return to until now. */
    readonly last: Labels;
  },
): Labels {
  const selector: Labels = service.spec?.selector ?? {};
  const kept = parseSelector(annotation(service, ORIGINAL_SELECTOR));
  if (leadsTo(service, shadow)) return ownPart(selector) ?? kept ?? last;
  return isSwitched(selector) ? kept ?? last : selector;
}
