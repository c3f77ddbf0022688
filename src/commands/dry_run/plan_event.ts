import type { PlanEvent } from "../../core/report.ts";
import { counted } from "../../core/counted.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import type { PlannedChange } from "../../kube/plan/planned_objects.ts";
import type { GlobalOptions } from "../session/global_options.ts";
import { objectDiff } from "./object_diff.ts";
import type { Plan, PlannedObject } from "./plan.ts";
import type { PlanNotes } from "./plan_notes.ts";
import type { PlanReport } from "./plan_report.ts";
import { planText } from "./plan_text.ts";
import { planYaml } from "./plan_yaml.ts";

export interface PlanFacts {
  readonly command: string;
  readonly kube: Pick<KubeApi, "context" | "namespace">;
  readonly planned: readonly PlannedChange[];
  /** What would still be there after the end. @default as planned */
  readonly left?: readonly PlannedChange[];
  readonly undone?: readonly string[];
  readonly notes: PlanNotes;
  readonly report: Pick<PlanReport, "warnings" | "ready">;
}

export function planEvent(
  { command, kube, planned, left, undone, notes, report }: PlanFacts,
  { output }: Pick<GlobalOptions, "output">,
): PlanEvent {
  const plan: Plan = {
    command,
    context: kube.context,
    namespace: kube.namespace,
    objects: planned.map((one) => plannedObject(one, left)),
    machine: notes.machine,
    ...(undone && { undone }),
    unknown: notes.unknown,
    warnings: report.warnings,
    ...(report.ready && { ready: report.ready.message }),
  };
  return {
    event: "plan",
    message: `Dry run: ${summary(plan)}`,
    shown: output === "yaml" ? planYaml(plan) : planText(plan),
    ...plan,
  };
}

function plannedObject(
  change: PlannedChange,
  left: readonly PlannedChange[] | undefined,
): PlannedObject {
  const { resource, name, namespace, before, after, isReplaced, unchecked } =
    change;
  const { apiVersion, kind } = resource;
  const action = before === undefined
    ? "create"
    : after === undefined
    ? "delete"
    : isReplaced
    ? "replace"
    : "change";
  const isLeft = left?.some((one) =>
    one.resource.kind === kind && one.name === name &&
    one.namespace === namespace
  );
  return {
    ...{ action, apiVersion, kind, name },
    ...(namespace === undefined ? {} : { namespace }),
    ...(before && { before }),
    ...(after && { after }),
    ...(before && after && { diff: objectDiff(before, after) }),
    // what was somebody else's, and is deleted, stays so
    ...(isLeft === undefined || action === "delete"
      ? {}
      : { isUndone: !isLeft }),
    ...(unchecked === undefined ? {} : { unchecked }),
  };
}

function summary({ objects, machine }: Plan): string {
  const parts = ["create", "change", "replace", "delete"].flatMap((action) => {
    const { length } = objects.filter((one) => one.action === action);
    return length === 0 ? [] : [`${action} ${counted(length, "object")}`];
  });
  if (machine.length > 0) parts.push("change this machine");
  return parts.length === 0
    ? "it would change nothing"
    : `it would ${parts.join(", ")}`;
}
