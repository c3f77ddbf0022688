/** Switching a Service's selector to the Shadow Pod, for the modes of `exchange` that do. */
import { retry } from "../../core/retry.ts";
import { ConflictError } from "../../core/errors.ts";
import { tellPassing } from "../../cluster/object/tell_passing.ts";
import { RepairPace } from "../../cluster/object/repair_pace.ts";
import { warnOfAffinity } from "../../cluster/service/affinity_ports.ts";
import { driftText } from "../../cluster/service/drift_text.ts";
import { selectedBy } from "../../cluster/service/selected_by.ts";
import { refuseReplacedPods } from "../../cluster/holder.ts";
import { intendedSelector } from "../../cluster/service/intended_selector.ts";
import {
  serviceSelectorStep,
  switchPatch,
} from "../../cluster/service/service_selector.ts";
import { refuseForeignStuntman } from "../../cluster/service/stuntman.ts";
import { refuseOtherProtocols } from "../../cluster/service/target.ts";
import { refuseTakenAway } from "../../cluster/service/taken_away.ts";
import { updateObject } from "../../cluster/object/update_object.ts";
import {
  annotation,
  HELD_SINCE,
  isSwitched,
  ORIGINAL_SELECTOR,
  originalSelector,
  parseSelector,
  sameLabels,
  stuntmanName,
} from "../../kube/annotations.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import { PODS, SERVICES } from "../../kube/resources.ts";
import type { RouteContext, RoutingContext } from "../plugin.ts";
import { warnOfServiceKeeper } from "./warn_of_keeper.ts";

type Labels = Readonly<Record<string, string>>;

/**
 * Refuses a Service that cannot be switched whole, or whose Stuntman Service cannot be made; warns of
 * what becomes different.
 *
 * @param wayOut What to do where a port is not TCP, as a full sentence.
 */
export async function refuseUnswitchable(
  { kube, target: { service }, log, signal }: RoutingContext<unknown>,
  wayOut: string,
): Promise<void> {
  refuseOtherProtocols(service, wayOut);
  warnOfServiceKeeper(
    { kube, log },
    service,
    "`exchange --mode scale --keepReplicas 0`, `mesh --mode manual` and `preview` edit no Service",
  );
  warnOfAffinity(log, service, "exchanged");
  const { name } = service.metadata;
  refuseForeignStuntman(
    await kube.find({ resource: SERVICES, name: stuntmanName(name) }, {
      signal,
    }),
    name,
  );
}

/**
 * Sends the Service to the Shadow Pod by its selector, and keeps it there against drift until the scope
 * ends.
 */
export async function switchService(
  context: RouteContext<unknown>,
): Promise<void> {
  const { scope, kube, shadowLabels, user } = context;
  const { name, namespace } = context.target.service.metadata;
  const ref = {
    resource: SERVICES,
    name,
    namespace: namespace ?? kube.namespace,
  };
  const current = await kube.get(ref);
  // as a Service may have become since the plan was made
  await refuseTakenAway(kube, current, {
    shadow: shadowLabels,
    signal: scope.signal,
  });
  const original = originalSelector(current);
  await scope.run(
    serviceSelectorStep,
    {
      namespace: ref.namespace,
      service: name,
      original,
      shadow: shadowLabels,
      user,
    },
    undefined,
  );
  // whoever scales the workload down looks at Services last, so that one of the two sees the other
  await refuseReplacedPods(kube, await kube.get(ref), {
    shadowLabels,
    signal: scope.signal,
  });
  scope.background(
    "selector watch",
    (signal) =>
      reconcileService(context, {
        namespace: ref.namespace,
        last: original,
        signal,
      }),
  );
}

/**
 * Puts drift right: `kubectl apply` of the original manifest merges its labels into ours, so that
 * the Service would select nothing. A new selector in it becomes the one to return to. One that
 * leads to another session's pod does not; if that pod lives, the Service is lost to it.
 *
 * @param options.last What to return to where nothing on the Service says it any more.
 */
async function reconcileService(
  context: RouteContext<unknown>,
  { namespace, last, signal }: {
    namespace: string;
    last: Labels;
    signal: AbortSignal;
  },
): Promise<void> {
  const { kube, shadowLabels: shadow, log } = context;
  const { name } = context.target.service.metadata;
  const watch = kube.watch(SERVICES, {
    namespace,
    fieldSelector: `metadata.name=${name}`,
    signal,
    isPatient: true,
  });
  const ref = { resource: SERVICES, name, namespace };
  const pace = new RepairPace();
  for await (const event of watch) {
    if (event.type === "SYNCED") continue;
    if (event.type === "DELETED") {
      log.warn(
        "SERVICE_DELETED",
        `Service "${name}" was deleted; it is taken again when it comes back`,
      );
      continue;
    }
    if (isIntact(event.object, shadow)) continue;
    if (annotation(event.object, ORIGINAL_SELECTOR) === undefined) {
      await refuseReleasedPod(context, signal);
      if (signal.aborted) return;
    }
    const known = last;
    let isBegun = false;
    const again = async () => {
      await pace.wait(signal);
      const service = await kube.find(ref, { signal });
      if (service === undefined) return undefined;
      // by a repair that came after this event
      if (!isBegun && isIntact(service, shadow)) return undefined;
      await refuseTakenAway(kube, service, { shadow, signal });
      isBegun = true;
      return await switchAgain(context, { namespace, last: known });
    };
    const isPassing = tellPassing(log, "switch the Service again");
    const done = await retry(again, { signal, isPassing });
    if (done === undefined) continue;
    last = done;
    const count = pace.repaired();
    if (count === 0) continue;
    const by = selectedBy(event.object);
    log.warn("SERVICE_DRIFTED", driftText(name, count, by));
  }
}

function isIntact(
  service: KubeObject,
  shadow: Readonly<Record<string, string>>,
): boolean {
  return sameLabels(service.spec?.selector, shadow) &&
    parseSelector(annotation(service, ORIGINAL_SELECTOR)) !== undefined;
}

/**
 * Somebody took selector and annotation away together: either `kubectl replace`, or a `recover`
 * (the original's removes our pod right after). The pod tells which.
 */
async function refuseReleasedPod(
  { kube, shadowPod, target }: RouteContext<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const grace = AbortSignal.any([signal, AbortSignal.timeout(3_000)]);
  const watch = kube.watch(PODS, {
    namespace: target.service.metadata.namespace ?? kube.namespace,
    fieldSelector: `metadata.name=${shadowPod}`,
    signal: grace,
  });
  let isThere = false;
  for await (const event of watch) {
    if (event.type === "SYNCED") {
      if (isThere) continue; // who slept may find it gone
    } else isThere = true;
    if (
      event.type === "SYNCED" || event.type === "DELETED" ||
      event.object.metadata.deletionTimestamp !== undefined
    ) {
      throw new ConflictError(
        "SERVICE_RECOVERED",
        `Service "${target.service.metadata.name}" was recovered by somebody`,
        {
          hint: "Run the command again if it was a mistake.",
        },
      );
    }
  }
}

/** A `recover`, the original's as well, restores the Service before it deletes the pod. */
export async function isSwitchedBack(
  { kube, target, signal }: RoutingContext<unknown>,
): Promise<boolean> {
  const { name, namespace } = target.service.metadata;
  const service = await kube.find({
    resource: SERVICES,
    name,
    namespace: namespace ?? kube.namespace,
  }, { signal });
  return service !== undefined && !isSwitched(service.spec?.selector) &&
    annotation(service, ORIGINAL_SELECTOR) === undefined;
}

/** Returns the Service's own selector; undefined where there is no such Service. */
async function switchAgain(
  context: RouteContext<unknown>,
  { namespace, last }: { namespace: string; last: Labels },
): Promise<Labels | undefined> {
  const { kube, shadowLabels: shadow, user, stuntman } = context;
  const { name } = context.target.service.metadata;
  let original: Labels | undefined;
  await updateObject(
    kube,
    { resource: SERVICES, name, namespace },
    (service) => {
      if (isIntact(service, shadow)) {
        // by an attempt that did not come as far as the Stuntman Service
        original = parseSelector(annotation(service, ORIGINAL_SELECTOR));
        return undefined;
      }
      original = intendedSelector(service, { shadow, last });
      return switchPatch(service, {
        original,
        shadow,
        user,
        since: annotation(service, HELD_SINCE) ??
          new Date(kube.now() * 1000).toISOString(),
      });
    },
  );
  if (original === undefined || stuntman === undefined) return original;
  const ref = { resource: SERVICES, name: stuntman, namespace };
  await updateObject(
    kube,
    ref,
    (service) =>
      sameLabels(service.spec?.selector, original)
        ? undefined
        : [{ op: "replace", path: "/spec/selector", value: original }],
  );
  return original;
}
