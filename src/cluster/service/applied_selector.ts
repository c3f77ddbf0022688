import * as v from "valibot";
import { readJson } from "../../core/read_json.ts";
import { annotation } from "../../kube/annotations.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import { labels } from "../../kube/object_syntax.ts";

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
/** What all annotations of an object may have together. */
const MAX_CHARS = 256 * 1024;

const manifest = v.object({
  spec: v.object({ selector: labels }),
});

/** The selector in the manifest that `kubectl apply` applied last; empty where there is none. */
export function appliedSelector(
  service: KubeObject,
): Readonly<Record<string, string>> {
  const text = annotation(service, LAST_APPLIED);
  const read = readJson(text, manifest, { maxChars: MAX_CHARS });
  return read.reason === undefined ? read.value.spec.selector : {};
}
