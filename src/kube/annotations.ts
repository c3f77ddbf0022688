/**
 * Names that the original ktctl and this one share in a cluster, and those that are ours alone.
 * Teammates may run either: none of the first group may change.
 */
import { fittedName } from "./fitted_name.ts";
import { readJson } from "../core/read_json.ts";
import type { KubeObject } from "./kube_api.ts";
import { labels } from "./object_syntax.ts";

/** Label on all that ktctl makes; its value. */
export const CONTROL_BY = "control-by";
export const CONTROL_BY_KT = "kt";
/** Label: what a Pod or Deployment is for. */
export const ROLE = "kt-role";
export type Role =
  | "shadow-connect"
  | "shadow-exchange"
  | "shadow-mesh"
  | "shadow-preview"
  | "router";
/** Label: 20 random letters by which a Service selects one Shadow Pod. */
export const TARGET = "kt-target";

/** Annotation: unix seconds of the cluster's clock. Older than five minutes: its maker is gone. */
export const HEARTBEAT = "kt-last-heart-beat";
/** Annotation on the origin Service: its own selector, as JSON, while it is switched. */
export const ORIGINAL_SELECTOR = "kt-selector";
/** Annotation on the origin Service: unix seconds; void after {@link LOCK_LIFETIME_SECONDS}. */
export const LOCK = "kt-lock";
/** Annotation: comma list of `key=value`. */
export const CONFIG = "kt-config";
/** Annotation: who made it. */
export const USER = "kt-user";
/** Annotation on a shadow: the name of its maker's machine, for those who look for them. */
export const HOST = "ktctl.dev/host";
/** Annotation: how many participants share it. */
export const REF_COUNT = "kt-ref-count";

/** Annotation: the session that made or holds the object. */
export const SESSION = "ktctl.dev/session";
/** Annotation beside {@link LOCK}: who took it, as `<user>/<session>`. */
export const LOCK_OWNER = "ktctl.dev/lock-owner";
/** Annotation beside {@link LOCK}: unix seconds until when its owner, who lives, has promised to renew this. */
export const LOCK_UNTIL = "ktctl.dev/lock-until";
/**
 * Annotation on the record of a Deployment scaled down by `exchange --mode scale`: the replica count to
 * return to. Earlier versions had it on the Deployment.
 */
export const ORIGINAL_REPLICAS = "ktctl.dev/replicas";
/** Annotation beside {@link ORIGINAL_REPLICAS} on that record: the count scaled down to, where it is not 0. */
export const KEPT_REPLICAS = "ktctl.dev/kept-replicas";
/** Annotation on a Service that is held, or a Deployment's record: by whom. */
export const HELD_BY = "ktctl.dev/held-by";
/** Annotation beside {@link HELD_BY}: since when, RFC 3339. */
export const HELD_SINCE = "ktctl.dev/held-since";
/** Annotation put on a shadow by `recover` before it takes the Service back: its owner must end. */
export const RELEASED = "ktctl.dev/released";
/** Annotation on a shadow: the port of the agent's status page. */
export const STATUS_PORT = "ktctl.dev/status-port";

/** Annotation on a shadow: the plugin of somebody else's that its session works with, as JSON. */
export const PLUGIN = "ktctl.dev/plugin";

/** Annotation on what belongs to a router of ours: the version of its state. */
export const ROUTER_STATE = "ktctl.dev/router";

/** Annotation on what belongs to a shared Shadow Pod of ours: the version of its state. */
export const SHARED = "ktctl.dev/shared";
/** Annotation on the Secret of a shared Shadow Pod: who uses it, as JSON. */
export const SHARERS = "ktctl.dev/sharers";
/** The one Shadow Pod (or Deployment) of a namespace that `connect --shareShadow` uses. */
export const SHARE_NAME = "kt-connect-shadow-daemon";

export const LOCK_LIFETIME_SECONDS = 180;

/** Of a Service of up to 51 characters `<service>-kt-stuntman`. */
export function stuntmanName(service: string): string {
  return fittedName(service, "-kt-stuntman");
}

/**
 * Whether it is called as the Service's Stuntman Service is. What is left of a long name may be the
 * beginning of another one's, so that such an object has to say whose it is.
 */
export function isStuntmanOf(object: KubeObject, service: string): boolean {
  const { name } = object.metadata;
  const told = configOf(object).get("service");
  return name === stuntmanName(service) &&
    (told === undefined ? name.startsWith(service) : told === service);
}

export const ROUTER_SUFFIX = "-kt-router";

export function routerName(service: string): string {
  return `${service}${ROUTER_SUFFIX}`;
}

/** More in an annotation is nothing that a ktctl wrote. */
const MAX_TEXT = 8 * 1024;
const MAX_NAME = 128;

/** {@link CONFIG} of an object. */
export function configOf(object: KubeObject): Map<string, string> {
  return parseConfig(annotation(object, CONFIG));
}

/** `kt-config` as a map. */
export function parseConfig(text: string | undefined): Map<string, string> {
  if (text === undefined || text.length > MAX_TEXT) return new Map();
  const pairs = text.split(",").filter((item) => item.includes("="));
  return new Map(pairs.map((item) => {
    const at = item.indexOf("=");
    return [item.slice(0, at).trim(), item.slice(at + 1).trim()];
  }));
}

export function annotation(
  object: KubeObject,
  name: string,
): string | undefined {
  return object.metadata.annotations?.[name];
}

/** One that people read, such as a name: no more than the beginning of a long one. */
export function annotationText(
  object: KubeObject,
  name: string,
): string | undefined {
  return annotation(object, name)?.slice(0, MAX_NAME);
}

export function label(object: KubeObject, name: string): string | undefined {
  return object.metadata.labels?.[name];
}

/** Whether some ktctl made it, by its label. */
export function isMade(object: KubeObject): boolean {
  return label(object, CONTROL_BY) === CONTROL_BY_KT;
}

/** Whether a selector points at a Shadow or Router Pod. */
export function isSwitched(
  selector: Record<string, string> | undefined,
): boolean {
  return selector?.[ROLE] !== undefined;
}

/** The label selector text of a label map. */
export function labelSelector(
  labels: Readonly<Record<string, string>>,
): string {
  return Object.entries(labels).map(([key, value]) => `${key}=${value}`).join(
    ",",
  );
}

/** Whether every pair of `part` is in `whole`. */
export function includesLabels(
  whole: Readonly<Record<string, string>> | undefined,
  part: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(part).every(([key, value]) => whole?.[key] === value);
}

export function sameLabels(
  a: Readonly<Record<string, string>> | undefined,
  b: Readonly<Record<string, string>> | undefined,
): boolean {
  return includesLabels(a ?? {}, b ?? {}) && includesLabels(b ?? {}, a ?? {});
}

/** What all annotations of an object may have together. */
const MAX_SELECTOR_TEXT = 256 * 1024;

/** Canonical form of `kt-selector`: keys sorted, no spaces, as the original writes it. */
export function selectorJson(
  selector: Readonly<Record<string, string>>,
): string {
  return JSON.stringify(
    Object.fromEntries(
      Object.entries(selector).sort(([a], [b]) => a < b ? -1 : 1),
    ),
  );
}

/** The selector that a Service has of its own: what is written in `kt-selector` while it is switched. */
export function originalSelector(service: KubeObject): Record<string, string> {
  return parseSelector(annotation(service, ORIGINAL_SELECTOR)) ??
    service.spec?.selector ?? {};
}

/**
 * Reads `kt-selector`; undefined where it is absent or not a selector (the original writes `null` too),
 * and where it leads to a Shadow or Router Pod: that is no Service's own.
 */
export function parseSelector(
  text: string | undefined,
): Record<string, string> | undefined {
  const read = readJson(text, labels, { maxChars: MAX_SELECTOR_TEXT });
  return read.reason !== undefined || isSwitched(read.value)
    ? undefined
    : read.value;
}
