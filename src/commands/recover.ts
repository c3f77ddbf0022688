/** `ktctl recover`: gives one Service back to its own pods, whoever took it. */
import { parseResourceName, wantedObject } from "../cluster/service/target.ts";
import { ConflictError } from "../core/errors.ts";
import { annotationText, USER } from "../kube/annotations.ts";
import type { KubeObject } from "../kube/kube_api.ts";
import type { DryRunOptions } from "./dry_run/dry_run_option.ts";
import type { GlobalOptions } from "./session/global_options.ts";
import { reportOf } from "./dry_run/report_of.ts";
import type { Host } from "./session/host.ts";
import { recoverService } from "./takeover/recover_service.ts";
import { namingMissingRights } from "./session/naming_missing_rights.ts";
import { openKube, sweepOwn } from "./session/session.ts";

interface RecoverOptions extends DryRunOptions {
  readonly takeOver: boolean;
}

export async function recover(
  host: Host,
  name: string,
  options: RecoverOptions & GlobalOptions,
): Promise<void> {
  const report = reportOf(host, options);
  const resourceName = parseResourceName(name);
  const wanted = wantedObject(resourceName);
  const kube = await openKube(host, { ...options, wanted }, report);
  const needed = { verbs: ["recover"], uses: [], signal: host.signal } as const;
  await namingMissingRights(kube, needed, async () => {
    const work = async () => {
      await sweepOwn(host, kube, report);
      return await recoverService(host, kube, {
        resourceName,
        report,
        onLive: options.takeOver ? () => {} : refuseLive,
      });
    };
    if (kube.isPlan) {
      const { planOnce } = await import("./dry_run/plan_session.ts");
      const command = `recover ${name}`;
      const frame = { globals: options, kube, report, command };
      return await planOnce(host, frame, async () => {
        const { failure } = await work();
        if (failure !== undefined) throw failure;
      });
    }
    const { service, count, failure } = await work();
    if (failure !== undefined) {
      host.conclude({ state: "incomplete", reason: "Not everything is clean" });
      throw failure;
    }
    host.conclude({
      state: count === 0 ? "unchanged" : "restored",
      reason: count === 0
        ? `Service "${service}" is as it should be`
        : `Service "${service}" is recovered`,
    });
  });
}

function refuseLive([shadow]: readonly KubeObject[], service: string): void {
  const user = annotationText(shadow!, USER) ?? "somebody";
  throw new ConflictError(
    "SERVICE_IN_USE",
    `Cannot recover Service "${service}": ${user} uses it (${shadow!.kind} "${
      shadow!.metadata.name
    }")`,
    { hint: `Ask ${user} to leave, or take it with --takeOver.` },
  );
}
