/** Switching a Service's selector to the Shadow Pod, for the modes of `exchange` that do. */
import { retry } from "../../core/retry.ts";
import { ConflictError } from "../../core/errors.ts";
import { tellPassing } from "../../cluster/object/tell_passing.ts";
import { RepairPace } from "../../cluster/object/repair_pace.ts";
import { warnOfAffinity } from "../../cluster/service/affinity_ports.ts";
import { driftText } from "../../cluster/service/drift_text.ts";
import { selectedBy } from "../../cluster/service/selected_by.ts";
import { refuseReplacedPods } from "../../cluster/holder.ts";
import { appliedSelector } from "../../cluster/service/applied_selector.ts";
import { servicePorts } from "../../cluster/service/expose.ts";
import { intendedSelector } from "../../cluster/service/intended_selector.ts";
import { leadBack } from "../../cluster/service/lead_back.ts";
import {
  portChanges,
  refuseChangedPorts,
} from "../../cluster/service/refuse_changed_ports.ts";
import { refuseRolloutsService } from "../../cluster/keeper/refuse_rollouts_service.ts";
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

/** Of the Service while it was as we left it. */
interface Known {
  /** What it is to return to. */
  readonly original: Labels;
  /** The {@link appliedSelector}. */
  readonly applied: Labels;
}

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
  refuseRolloutsService(service);
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
  refuseChangedPorts(current, servicePorts(context.target.service));
  // as a Service may have become since the plan was made
  await refuseTakenAway(kube, current, {
    shadow: shadowLabels,
    signal: scope.signal,
  });
  const original = originalSelector(current);
  const applied = appliedSelector(current);
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
        first: { original, applied },
        signal,
      }),
  );
}

/**
 * Puts drift right: `kubectl apply` of the original manifest merges its labels into ours, so that
 * the Service would select nothing. What is meant by it becomes what to return to. A selector that
 * leads to another session's pod does not; if that pod lives, the Service is lost to it.
 * Throws `ConflictError` (`SERVICE_PORTS_CHANGED`, `SERVICE_RECOVERED`, `SERVICE_TAKEN_AWAY`).
 *
 * @param options.first What to go by where nothing on the Service says it any more.
 */
async function reconcileService(
  context: RouteContext<unknown>,
  { namespace, first, signal }: {
    namespace: string;
    first: Known;
    signal: AbortSignal;
  },
): Promise<void> {
  const { kube, shadowLabels: shadow, log } = context;
  const { name } = context.target.service.metadata;
  const planned = servicePorts(context.target.service);
  const watch = kube.watch(SERVICES, {
    namespace,
    fieldSelector: `metadata.name=${name}`,
    signal,
    isPatient: true,
  });
  const ref = { resource: SERVICES, name, namespace };
  const pace = new RepairPace();
  let known = first;
  for await (const event of watch) {
    if (event.type === "SYNCED") continue;
    if (event.type === "DELETED") {
      log.warn(
        "SERVICE_DELETED",
        `Service "${name}" was deleted; it is taken again when it comes back`,
      );
      continue;
    }
    if (isIntact(event.object, shadow)) {
      refuseChangedPorts(event.object, planned);
      known = { ...known, applied: appliedSelector(event.object) };
      continue;
    }
    if (annotation(event.object, ORIGINAL_SELECTOR) === undefined) {
      await refuseReleasedPod(context, signal);
      if (signal.aborted) return;
    }
    const { original: last, applied } = known;
    const intended = (service: KubeObject) =>
      intendedSelector(service, { shadow, last, applied });
    let isBegun = false;
    const again = async (): Promise<Known | undefined> => {
      const service = await kube.find(ref, { signal });
      if (service === undefined) return undefined;
      // by a repair that came after this event
      if (!isBegun && isIntact(service, shadow)) return undefined;
      const hasOtherPorts =
        portChanges(planned, servicePorts(service)).length > 0;
      if (pace.isPausing || hasOtherPorts) {
        // until then its own pods answer
        await leadBack(kube, ref, { shadow, original: intended });
      }
      refuseChangedPorts(service, planned);
      if (pace.isPausing) {
        await pace.wait(signal);
        return await again();
      }
      await refuseTakenAway(kube, service, { shadow, signal });
      isBegun = true;
      return await switchAgain(context, { namespace, intended });
    };
    const isPassing = tellPassing(log, "switch the Service again");
    const done = await retry(again, { signal, isPassing });
    if (done === undefined) continue;
    known = done;
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

/** Returns what is known of the Service then; undefined where there is no such Service. */
async function switchAgain(
  context: RouteContext<unknown>,
  { namespace, intended }: {
    namespace: string;
    intended: (service: KubeObject) => Labels;
  },
): Promise<Known | undefined> {
  const { kube, shadowLabels: shadow, user, stuntman } = context;
  const { name } = context.target.service.metadata;
  let original: Labels | undefined;
  const switched = await updateObject(
    kube,
    { resource: SERVICES, name, namespace },
    (service) => {
      if (isIntact(service, shadow)) {
        // by an attempt that did not come as far as the Stuntman Service
        original = parseSelector(annotation(service, ORIGINAL_SELECTOR));
        return undefined;
      }
      original = intended(service);
      return switchPatch(service, {
        original,
        shadow,
        user,
        since: annotation(service, HELD_SINCE) ??
          new Date(kube.now() * 1000).toISOString(),
      });
    },
  );
  if (switched === undefined || original === undefined) return undefined;
  const known = { original, applied: appliedSelector(switched) };
  if (stuntman === undefined) return known;
  const ref = { resource: SERVICES, name: stuntman, namespace };
  await updateObject(
    kube,
    ref,
    (service) =>
      sameLabels(service.spec?.selector, original)
        ? undefined
        : [{ op: "replace", path: "/spec/selector", value: original }],
  );
  return known;
}
