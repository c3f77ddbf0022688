/** The whole of `exchange`, `mesh` and `preview` but for their flags and their target. */
import type { Wanted } from "../../cluster/object/found_elsewhere.ts";
import type { ExposedPort } from "../../cluster/service/expose.ts";
import { isMarked } from "../../cluster/service/service_selector.ts";
import type {
  FindTargetOptions,
  FoundTarget,
} from "../../cluster/service/target.ts";
import type { Report } from "../../core/report.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { modeName } from "../../plugins/mode_name.ts";
import type { RoutingMark } from "../../plugins/plugin.ts";
import type { RoutingVerb } from "../../plugins/routing_verb.ts";
import type { DryRunOptions } from "../dry_run/dry_run_option.ts";
import { sessionFrame } from "../dry_run/session_frame.ts";
import type { GlobalOptions } from "./global_options.ts";
import { endText } from "./end_text.ts";
import type { Host } from "./host.ts";
import { namingMissingRights } from "./naming_missing_rights.ts";
import { planRestore, refuseRestoreMode } from "./plan_restore.ts";
import { planTraffic, type TrafficPlan } from "./plan_traffic.ts";
import { pluginOptions } from "./plugin_flags.ts";
import {
  refuseRestoreOptions,
  type RestoreOptions,
} from "./restore_options.ts";
import { serveTraffic } from "./serve_traffic.ts";
import { openKube, sweepOwn } from "./session.ts";
import { refuseVainTakeOver } from "../takeover/refuse_vain_take_over.ts";
import { takeOver } from "../takeover/take_over.ts";
import { takeAgain } from "./take_again.ts";
import { trafficReadyEvent } from "./traffic_ready_event.ts";
import { trafficUses } from "./traffic_uses.ts";

/** The flags that the verbs have in common. */
export interface TrafficOptions
  extends GlobalOptions, RestoreOptions, DryRunOptions {
  readonly expose: ExposedPort[];
  readonly mode: string;
  readonly skipPortChecking: boolean;
  /** Of `exchange` and `mesh`. */
  readonly takeOver?: boolean;
}

export interface TrafficVerb {
  readonly verb: RoutingVerb;
  readonly report: Report;
  /** What the journal calls the command. */
  readonly command: string;
  /** Which object to look for elsewhere where there is no such namespace. */
  readonly wanted?: Wanted;
  readonly findTarget: (
    kube: KubeApi,
    options: FindTargetOptions,
  ) => FoundTarget | Promise<FoundTarget>;
  readonly mark?: RoutingMark;
  /** Seconds. @default 0 */
  readonly recoverWaitTime?: number;
}

/** In a dry run alone: it takes rights that no session needs. */
async function warnOfTarget(
  kube: KubeApi,
  { verb, plugin, target }: TrafficPlan,
  options: { report: Report; signal: AbortSignal },
): Promise<void> {
  if (verb === "preview") return;
  const { warnOfGovernors } = await import("../dry_run/warn_of_governors.ts");
  const mode = modeName(plugin);
  await warnOfGovernors(kube, { ...options, target, mode });
}

export async function runTraffic(
  host: Host,
  options: TrafficOptions,
  { verb, report, command, wanted, findTarget, ...rest }: TrafficVerb,
): Promise<void> {
  refuseRestoreOptions(options);
  const { expose, skipPortChecking } = options;
  const registry = await host.registry();
  const plugin = await registry.routing(options.mode, verb);
  refuseRestoreMode({ plugin, origin: registry.origin(plugin) }, options);
  const given = pluginOptions(plugin, registry.listings(verb), options);
  const kube = await openKube(
    host,
    { ...options, ...(wanted && { wanted }) },
    report,
  );
  const needed = {
    verbs: options.takeOver ? [verb, "recover" as const] : [verb],
    uses: trafficUses(plugin, { ...options, ...(wanted && { wanted }) }),
    signal: host.signal,
  };
  await namingMissingRights(kube, needed, async () => {
    await sweepOwn(host, kube, report);
    let finding: FindTargetOptions = {
      signal: host.signal,
      warn: (message) => report.warn("SEVERAL_SERVICES", message),
      // of a Deployment's Services the one that there is to take
      ...(options.takeOver && { preferred: isMarked }),
    };
    if (options.takeOver) {
      const target = await findTarget(kube, finding);
      await refuseVainTakeOver(target, {
        ...{ plugin, given, expose, skipPortChecking, signal: host.signal },
      });
      const { name } = target.service.metadata;
      await takeOver(host, kube, { name, verb, report });
      // it bears no mark any more, and what there is to warn of was said
      finding = {
        signal: host.signal,
        warn: () => {},
        preferred: ({ metadata }) => metadata.name === name,
      };
    }
    const check = (session?: string) =>
      report.step(
        "check",
        async () =>
          await planTraffic(host, { kube, report }, {
            ...{ ...rest, verb, plugin, expose, skipPortChecking },
            pluginOptions: given,
            target: await findTarget(kube, finding),
            globals: options,
            ...(session === undefined ? {} : { session }),
          }),
      );
    const first = await check();
    if (kube.isPlan) {
      await warnOfTarget(kube, first, { report, signal: host.signal });
    }
    const { context: { session: id } } = first;
    const run = await sessionFrame(kube);
    await run(
      host,
      { globals: options, kube, report, command, id },
      (session, markReady) => {
        if (first.origin !== undefined) {
          session.plan?.unknown.push(
            `what plugin "${plugin.name}" does outside of the cluster`,
          );
        }
        return takeAgain(session, options, async (session, { isFirst }) => {
          const plan = isFirst ? first : await check(id);
          const restore = planRestore(plan, options);
          await serveTraffic(session, {
            plan,
            ...(restore === undefined ? {} : { restore }),
            skipPortChecking,
            globals: options,
            onReady: (routed, about) => {
              markReady();
              const event = trafficReadyEvent(plan, routed, {
                ...about,
                ...options,
                endText: (what) => endText(host, what, command),
              });
              session.report.event(event);
            },
          });
        });
      },
    );
  });
}
