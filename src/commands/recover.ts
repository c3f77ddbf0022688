/** `ktctl recover`: gives one Service back to its own pods, whoever took it. */
import { Command, Option } from "commander";
import { isAttached, isStale } from "../cluster/object/liveness.ts";
import { MESHED } from "../cluster/router/mesh_mark.ts";
import { planChanges } from "../cluster/clean/plan_changes.ts";
import { readNamespace } from "../cluster/clean/read_namespace.ts";
import { refuseLostSelector } from "../cluster/clean/refuse_lost_selector.ts";
import { isMarked } from "../cluster/service/service_selector.ts";
import { revertChanges } from "../cluster/clean/revert_changes.ts";
import { takenState } from "../cluster/clean/taken_state.ts";
import {
  findTarget,
  parseResourceName,
  wantedObject,
} from "../cluster/service/target.ts";
import {
  unreadableObjects,
  warnOfUnreadable,
} from "../cluster/clean/unreadable.ts";
import { ConflictError, UnsupportedError } from "../core/errors.ts";
import {
  annotation,
  annotationText,
  configOf,
  CONTROL_BY,
  CONTROL_BY_KT,
  HEARTBEAT,
  label,
  ROUTER_STATE,
  SESSION,
  USER,
} from "../kube/annotations.ts";
import type { KubeApi, KubeObject } from "../kube/kube_api.ts";
import { Reverter } from "../undo/reverter.ts";
import type { GlobalOptions } from "./session/global_options.ts";
import type { Host } from "./session/host.ts";
import { knownSteps } from "./session/known_steps.ts";
import { namingMissingRights } from "./session/naming_missing_rights.ts";
import { openKube, sweepOwn } from "./session/session.ts";

interface RecoverOptions {
  readonly takeOver: boolean;
}

export function recoverCommand(host: Host): Command {
  return new Command("recover")
    .description(
      "Restores one Service at once, without waiting for a heartbeat to grow old. A live session keeps " +
        "it, unless --takeOver ends that session.",
    )
    .argument("<service>", "Service to restore")
    .addOption(
      new Option(
        "--takeOver",
        "take the Service from a live session as well, which then ends",
      ).default(false),
    )
    .action((name: string, _options: unknown, command: Command) =>
      recover(host, name, command.optsWithGlobals())
    );
}

export async function recover(
  host: Host,
  name: string,
  options: RecoverOptions & GlobalOptions,
): Promise<void> {
  const report = host.report(options);
  const { signal } = host;
  const resourceName = parseResourceName(name);
  const wanted = wantedObject(resourceName);
  const kube = await openKube(host, { ...options, wanted }, report);
  const needed = { verb: "recover", uses: [], signal } as const;
  await namingMissingRights(kube, needed, async () => {
    await sweepOwn(host, kube, report);
    const { service } = await findTarget(kube, resourceName, {
      signal,
      warn: (message) => report.warn("SEVERAL_SERVICES", message),
      preferred: isMarked,
    });
    refuseMade(service);
    const state = await readNamespace(kube, { signal, report });
    const { name: found } = service.metadata;
    const unreadable = unreadableObjects(state);
    warnOfUnreadable(
      report,
      unreadable.filter(({ object, object: { metadata } }) =>
        metadata.name === found || metadata.name.startsWith(`${found}-kt-`) ||
        configOf(object).get("service") === found ||
        configOf(object).get(MESHED) === found
      ),
    );
    const taken = takenState(service, state, {
      namespace: kube.namespace,
      by: host.user,
      unreadable,
    });
    if (!options.takeOver) {
      await refuseLive(kube, { service, shadows: taken.shadows, signal });
    }
    await refuseLostSelector(kube, { service, state: taken, signal });
    const steps = await knownSteps(host, report, taken);
    const { changes, failure } = await planChanges(taken, steps, report);
    host.conclude({
      state: "incomplete",
      reason: "Stopped half way: run it again",
    });
    const all = [...taken.releases, ...changes];
    const reverter = new Reverter({ kube }, { signal });
    await revertChanges(all, { reverter, report });
    if (failure !== undefined) {
      host.conclude({ state: "incomplete", reason: "Not everything is clean" });
      throw failure;
    }
    const reason = all.length === 0
      ? `Service "${found}" is as it should be`
      : `Service "${found}" is recovered`;
    host.conclude({
      state: all.length === 0 ? "unchanged" : "restored",
      reason,
    });
  });
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

async function refuseLive(
  kube: KubeApi,
  { service, shadows, signal }: {
    service: KubeObject;
    shadows: readonly KubeObject[];
    signal: AbortSignal;
  },
): Promise<void> {
  /** Sessions whose agent says that its laptop is gone. */
  const deserted = new Set<string>();
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
    if (!(attached ?? hasFreshHeartbeat(kube, shadow))) continue;
    const user = annotationText(shadow, USER) ?? "somebody";
    throw new ConflictError(
      "SERVICE_IN_USE",
      `Cannot recover Service "${service.metadata.name}": ${user} uses it (${shadow.kind} "${shadow.metadata.name}")`,
      { hint: `Ask ${user} to leave, or take it with --takeOver.` },
    );
  }
}

function hasFreshHeartbeat(kube: KubeApi, shadow: KubeObject): boolean {
  return annotation(shadow, HEARTBEAT) !== undefined &&
    !isStale(shadow, { now: kube.now() });
}
