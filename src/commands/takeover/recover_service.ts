/** Gives one Service back to its own pods, whoever has it. */
import { planChanges } from "../../cluster/clean/plan_changes.ts";
import type { FoundChange } from "../../cluster/clean/find_changes.ts";
import { readNamespace } from "../../cluster/clean/read_namespace.ts";
import { refuseLostSelector } from "../../cluster/clean/refuse_lost_selector.ts";
import { revertChanges } from "../../cluster/clean/revert_changes.ts";
import { takenState } from "../../cluster/clean/taken_state.ts";
import {
  unreadableObjects,
  warnOfUnreadable,
} from "../../cluster/clean/unreadable.ts";
import { isAttached, isStale } from "../../cluster/object/liveness.ts";
import { MESHED } from "../../cluster/router/mesh_mark.ts";
import {
  deploymentReplicasStep,
  type ReplicasArgs,
} from "../../cluster/scale/deployment_replicas.ts";
import { awaitOthers } from "../../cluster/service/await_endpoints.ts";
import { isMarked } from "../../cluster/service/service_selector.ts";
import { findTarget, type ResourceName } from "../../cluster/service/target.ts";
import { type KtctlError, UnsupportedError } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import {
  annotation,
  configOf,
  CONTROL_BY,
  CONTROL_BY_KT,
  HEARTBEAT,
  label,
  ROUTER_STATE,
  SESSION,
} from "../../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { Reverter } from "../../undo/reverter.ts";
import type { Host } from "../session/host.ts";
import { knownSteps } from "../session/known_steps.ts";

/** As `--recoverWaitTime` of who had scaled it, if nothing was said. */
const RETURN_MS = 120_000;

export interface RecoverServiceOptions {
  readonly resourceName: ResourceName;
  readonly report: Report;
  /** Whether to leave the Service to those who have it. @default never */
  readonly isShared?: (service: KubeObject) => boolean;
  /**
   * Called, before anything is changed, with the shadows of those who live, if there are any; again with
   * those who have come meanwhile. Rejects where the Service is to be left to them.
   */
  readonly onLive: (
    live: readonly KubeObject[],
    service: string,
  ) => Promise<void> | void;
}

export interface RecoveredService {
  readonly service: string;
  /** How many changes were taken back. */
  readonly count: number;
  /** What could not be planned, and stays. */
  readonly failure?: KtctlError;
}

export async function recoverService(
  host: Host,
  kube: KubeApi,
  { resourceName, report, isShared, onLive }: RecoverServiceOptions,
): Promise<RecoveredService> {
  const { signal } = host;
  const { service } = await findTarget(kube, resourceName, {
    signal,
    warn: (message) => report.warn("SEVERAL_SERVICES", message),
    preferred: isMarked,
  });
  refuseMade(service);
  const { name } = service.metadata;
  if (isShared?.(service)) return { service: name, count: 0 };
  const look = async () => {
    const state = await readNamespace(kube, { signal, report });
    const unreadable = unreadableObjects(state);
    const { namespace } = kube;
    const by = host.user;
    return {
      unreadable,
      taken: takenState(service, state, { namespace, by, unreadable }),
    };
  };
  let { unreadable, taken } = await look();
  warnOfUnreadable(
    report,
    unreadable.filter(({ object, object: { metadata } }) =>
      metadata.name === name || metadata.name.startsWith(`${name}-kt-`) ||
      configOf(object).get("service") === name ||
      configOf(object).get(MESHED) === name
    ),
  );
  const asked = new Set<string | undefined>();
  for (;;) {
    const live = (await liveShadows(kube, taken.shadows, signal))
      .filter(({ metadata: { uid } }) => !asked.has(uid));
    if (live.length === 0) break;
    await onLive(live, name);
    for (const { metadata: { uid } } of live) asked.add(uid);
    // they may have left meanwhile, and others may have come, or the same with another pod
    ({ taken } = await look());
  }
  await refuseLostSelector(kube, { service, state: taken, signal });
  const steps = await knownSteps(host, report, taken);
  const { changes, failure } = await planChanges(taken, steps, report);
  const all = [...taken.releases, ...changes];
  if (all.length > 0) {
    host.conclude({
      state: "incomplete",
      reason: "Stopped half way: run it again",
    });
  }
  const reverter = new Reverter({ kube }, { signal });
  const shadowPods = new Set(taken.shadows.map((one) => one.metadata.name));
  await revertChanges(all, {
    reverter,
    report,
    // a laptop that is there answers until then
    async onRestored(change) {
      if (asked.size === 0 || !isScaledFromNone(change)) return;
      const waited = { service: name, besides: shadowPods };
      await awaitOriginal(kube, waited, { report, signal });
    },
  });
  return {
    service: name,
    count: all.length,
    ...(failure === undefined ? {} : { failure }),
  };
}

function isScaledFromNone({ step, args }: FoundChange): boolean {
  return step.id === deploymentReplicasStep.id &&
    (args as ReplicasArgs).kept === 0;
}

/** Whose pods have just been scaled up; the Shadow Pod goes next, and nobody would answer. */
async function awaitOriginal(
  kube: KubeApi,
  of: { readonly service: string; readonly besides: ReadonlySet<string> },
  { report, signal }: { report: Report; signal: AbortSignal },
): Promise<void> {
  const areThere = await report.step("wait for the original pods", () => {
    const { namespace } = kube;
    const options = { ...of, namespace, patienceMs: RETURN_MS };
    return awaitOthers(kube, options, signal);
  });
  if (areThere || kube.isPlan) return;
  report.warn(
    "ORIGINAL_NOT_READY",
    // its endpoints may be nothing that this user can watch
    `No original pod of Service "${of.service}" was seen to be ready before the Shadow Pod went`,
  );
}

/** A preview's Service, or a mesh's: it never had pods of its own. */
function refuseMade(service: KubeObject): void {
  if (label(service, CONTROL_BY) !== CONTROL_BY_KT) return;
  throw new UnsupportedError(
    "SERVICE_MADE_BY_KTCTL",
    `Cannot recover Service "${service.metadata.name}": ktctl made it, and it has no pods of its own`,
    { hint: "If its maker is gone, `ktctl clean` removes it." },
  );
}

/** Those whose laptop is there. */
async function liveShadows(
  kube: KubeApi,
  shadows: readonly KubeObject[],
  signal: AbortSignal,
): Promise<KubeObject[]> {
  /** Sessions whose agent says that its laptop is gone. */
  const deserted = new Set<string>();
  const live: KubeObject[] = [];
  for (const shadow of shadows) {
    // our routers have users, each with a shadow that tells of them
    if (annotation(shadow, ROUTER_STATE) !== undefined) continue;
    const session = annotation(shadow, SESSION) ?? "";
    if (deserted.has(session)) continue;
    // the agent in a pod knows best; where there is none to ask, a fresh heartbeat counts
    const attached = shadow.kind === "Pod"
      ? await isAttached(kube, shadow, signal)
      : undefined;
    if (attached === false) deserted.add(session);
    if (attached ?? hasFreshHeartbeat(kube, shadow)) live.push(shadow);
  }
  return live;
}

function hasFreshHeartbeat(kube: KubeApi, shadow: KubeObject): boolean {
  return annotation(shadow, HEARTBEAT) !== undefined &&
    !isStale(shadow, { now: kube.now() });
}
