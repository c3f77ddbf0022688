/** Switching a Service's selector to a shadow, and back. */
import * as v from "valibot";
import {
  ClusterError,
  ConflictError,
  NotFoundError,
} from "../../core/errors.ts";
import {
  annotation,
  annotationText,
  HELD_BY,
  HELD_SINCE,
  includesLabels,
  isMade,
  isSwitched,
  labelSelector,
  ORIGINAL_SELECTOR,
  parseSelector,
  sameLabels,
  selectorJson,
} from "../../kube/annotations.ts";
import type {
  ClusterStep,
  Found,
  FoundState,
} from "../../kube/cluster_step.ts";
import type {
  JsonPatchOperation,
  KubeApi,
  KubeObject,
} from "../../kube/kube_api.ts";
import { SERVICES } from "../../kube/resources.ts";
import { labels, objectName } from "../../kube/object_syntax.ts";
import { holdsService } from "./holds_service.ts";
import { otherShadow } from "./taken_away.ts";
import { goneText } from "../object/gone_text.ts";
import { readPluginRecord } from "../object/plugin_record.ts";
import { isControlled } from "../object/is_controlled.ts";
import { annotationPatch, updateObject } from "../object/update_object.ts";

type Labels = Readonly<Record<string, string>>;

type SelectorArgs = v.InferOutput<typeof schema>;

const schema = v.object({
  namespace: objectName,
  service: objectName,
  /** The selector before, for the case that the annotation is lost. Of what was found it may be unknown. */
  original: v.exactOptional(labels),
  /** The selector that leads to our pod; empty where it was found to lead to none any more. */
  shadow: labels,
  user: v.string(),
  /** Of what was found on the cluster: one that was made anew is another one. */
  uid: v.exactOptional(v.string()),
});

/** Switches the selector and keeps the original in `kt-selector`, in one write. */
export const serviceSelectorStep: ClusterStep<SelectorArgs, undefined, void> = {
  id: "service.selector",
  schema,
  describe: ({ service }) => `switched selector of Service "${service}"`,
  undoCommand: ({ service, namespace, original, shadow }) => {
    if (original === undefined) {
      return `ktctl recover ${service} -n ${namespace}`;
    }
    // a merge patch works whatever is still there of all this
    const gone = Object.fromEntries(
      Object.keys(shadow).map((key) => [key, null]),
    );
    const patch = {
      metadata: {
        annotations: {
          [ORIGINAL_SELECTOR]: null,
          [HELD_BY]: null,
          [HELD_SINCE]: null,
        },
      },
      spec: { selector: { ...gone, ...original } },
    };
    return `kubectl patch service ${service} -n ${namespace} --type=merge -p '${
      JSON.stringify(patch)
    }'`;
  },
  async apply(
    { namespace, service, original = {}, shadow, user },
    _input,
    { kube },
  ) {
    const ref = { resource: SERVICES, name: service, namespace };
    const switched = await updateObject(kube, ref, (object) => {
      const selector = object.spec?.selector;
      if (
        annotation(object, ORIGINAL_SELECTOR) !== undefined ||
        !sameLabels(selector, original) || isSwitched(original)
      ) {
        throw new ConflictError(
          "SERVICE_CHANGED",
          `Cannot switch Service "${service}": somebody changed its selector in the meantime`,
          { hint: "Run the command again." },
        );
      }
      return switchPatch(object, {
        original,
        shadow,
        user,
        since: new Date(kube.now() * 1000).toISOString(),
      });
    });
    if (switched === undefined) {
      throw new NotFoundError(
        "SERVICE_NOT_FOUND",
        `Cannot switch Service "${service}": it was deleted`,
      );
    }
  },
  restores: true,
  async isPresent({ namespace, service, shadow }, { kube }, signal) {
    const ref = { resource: SERVICES, name: service, namespace };
    const object = await kube.find(ref, { signal });
    return object !== undefined &&
      (isHeldBy(object, shadow) || isSwitched(object.spec?.selector));
  },
  async revert(
    { namespace, service, original, shadow, uid },
    { kube },
    signal,
  ) {
    const ref = { resource: SERVICES, name: service, namespace };
    const current = await kube.find(ref, { signal });
    if (current === undefined) return goneText("Service", service);
    const isLost = await isLedAstray(kube, current, { shadow, signal });
    let done =
      `leave Service "${service}" alone, which somebody else has taken`;
    const found = await updateObject(
      kube,
      ref,
      (object) => {
        const isOurs = isHeldBy(object, shadow) || isLost &&
            sameLabels(object.spec?.selector, current.spec?.selector);
        if (!isOurs) return undefined;
        done = restoreAction(object);
        return restorePatch(object, original);
      },
      { signal, uid },
    );
    return found === undefined ? goneText("Service", service) : done;
  },
  find,
  isGeneral: true,
};

/** Whether it leads to the pod of another session, which is gone: nothing answers there. */
async function isLedAstray(
  kube: KubeApi,
  service: KubeObject,
  options: { shadow: Labels; signal: AbortSignal },
): Promise<boolean> {
  const isKnown = Object.keys(options.shadow).length > 0;
  return isKnown && isSwitched(service.spec?.selector) &&
    await otherShadow(kube, service, options) === undefined;
}

/** Switched or marked Services for which nobody answers who lives. */
function find(state: FoundState): Found<SelectorArgs>[] {
  return state.services.filter((service) =>
    // what a ktctl made leads to a shadow by nature: there is nothing to restore it to
    isMarked(service) ||
    (isSwitched(service.spec?.selector) && !isMade(service))
  ).flatMap((service) => {
    const reliesOn = serviceHolders(service, state);
    if (!reliesOn.every((one) => state.isOver(one))) return [];
    // one that a plugin made, to lead there
    const isPlugins = reliesOn.some((one) => readPluginRecord(one));
    if (isPlugins && !isMarked(service)) return [];
    const { name, namespace = state.namespace, uid } = service.metadata;
    const selector: Labels = service.spec?.selector ?? {};
    const isLed = isSwitched(selector);
    const original = parseSelector(annotation(service, ORIGINAL_SELECTOR));
    const args: SelectorArgs = {
      namespace,
      service: name,
      shadow: isLed ? selector : {},
      user: annotationText(service, HELD_BY) ?? "",
      ...(original === undefined ? {} : { original }),
      ...(uid === undefined ? {} : { uid }),
    };
    return [{
      args,
      action: restoreAction(service),
      object: service,
      reliesOn,
    }];
  });
}

/** What answers for a switched Service: its shadows or router, and its Stuntman Service. */
function serviceHolders(
  service: KubeObject,
  { pods, deployments, replicaSets, services }: FoundState,
): KubeObject[] {
  // a pod of a shadow Deployment has no heartbeat: the Deployment's counts
  const bare = pods.filter(({ metadata }) => !isControlled(metadata));
  return [...bare, ...deployments, ...replicaSets, ...services].filter(
    (object) => holdsService(object, service),
  );
}

/** What {@link restorePatch} does to the Service, in words. */
function restoreAction(service: KubeObject): string {
  if (isSwitched(service.spec?.selector)) return restoreText(service);
  const own = labelSelector(service.spec?.selector ?? {}) || "none";
  return `remove what a past session left on Service "${service.metadata.name}", whose selector somebody has set since: it stays ${own}`;
}

export function restoreText(service: KubeObject): string {
  const kept = annotation(service, ORIGINAL_SELECTOR);
  const selector = parseSelector(kept) ?? ownPart(service.spec?.selector ?? {});
  const text = selector === undefined
    ? kept === "null" ? "none" : "what it was"
    : labelSelector(selector);
  return `restore the selector of Service "${service.metadata.name}" to ${text}`;
}

/** The write that sends a Service to `shadow`, on behalf of a user where one alone has it. */
export function switchPatch(
  service: KubeObject,
  options: { original: Labels; shadow: Labels; user?: string; since?: string },
): JsonPatchOperation[] {
  return [
    ...annotationPatch(service, {
      [ORIGINAL_SELECTOR]: selectorJson(options.original),
      [HELD_BY]: options.user,
      [HELD_SINCE]: options.since,
    }),
    { op: "add", path: "/spec/selector", value: options.shadow },
  ];
}

/**
 * The write that gives a Service its own selector back: `kt-selector`, else what the selector holds
 * beside our labels, else `known`. A selector that somebody has set by hand since is left as it is.
 * Throws `ClusterError` (`SELECTOR_LOST`) where none of these says what it was.
 */
export function restorePatch(
  service: KubeObject,
  known?: Labels,
): JsonPatchOperation[] {
  const release = annotationPatch(service, {
    [ORIGINAL_SELECTOR]: undefined,
    [HELD_BY]: undefined,
    [HELD_SINCE]: undefined,
  });
  const selector: Labels = service.spec?.selector ?? {};
  if (!isSwitched(selector)) return release;
  const original = parseSelector(annotation(service, ORIGINAL_SELECTOR)) ??
    ownPart(selector) ?? known;
  if (original !== undefined) {
    return [
      { op: "replace", path: "/spec/selector", value: original },
      ...release,
    ];
  }
  if (annotation(service, ORIGINAL_SELECTOR) === "null") {
    return [{ op: "remove", path: "/spec/selector" }, ...release];
  }
  throw selectorLost(service);
}

export function selectorLost({ metadata }: KubeObject): ClusterError {
  const { name, namespace } = metadata;
  const where = namespace === undefined ? "" : ` -n ${namespace}`;
  return new ClusterError(
    "SELECTOR_LOST",
    `Cannot restore Service "${name}": its ${ORIGINAL_SELECTOR} annotation, which says which pods are its own, is missing or unreadable`,
    {
      hint:
        `Give it its pods' own labels, such as \`kubectl set selector service ${name}${where} app=${name}\`, then run \`ktctl recover ${name}${where}\`.`,
    },
  );
}

/**
 * What `kubectl apply` of the original manifest leaves: its labels merged with ours. The part
 * without ours is then the selector that was meant.
 */
export function ownPart(selector: Labels): Labels | undefined {
  const own = Object.entries(selector).filter(([key]) =>
    !key.startsWith("kt-")
  );
  return own.length === 0 ? undefined : Object.fromEntries(own);
}

/**
 * Whether our switch, or what somebody's edit left of it, is still there to be taken back: the
 * original ktctl's `recover` leaves the annotations that are ours alone.
 */
function isHeldBy(service: KubeObject, shadow: Labels): boolean {
  const isKnown = Object.keys(shadow).length > 0;
  return (isKnown && leadsTo(service, shadow)) ||
    (!isSwitched(service.spec?.selector) && isMarked(service));
}

/** Whether it carries an annotation of a switch. */
export function isMarked(service: KubeObject): boolean {
  return (annotation(service, ORIGINAL_SELECTOR) ??
    annotation(service, HELD_BY)) !== undefined;
}

/** Whether the Service's selector still holds the labels of `shadow`. */
export function leadsTo(service: KubeObject, shadow: Labels): boolean {
  return includesLabels(service.spec?.selector, shadow);
}
