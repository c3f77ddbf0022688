/** Sessions whose plugin nobody named: what they changed cannot be taken back without it. */
import type { AnyClusterStep, FoundState } from "../../kube/cluster_step.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import { type FoundChange, groupsOf } from "./find_changes.ts";
import {
  type PluginRecord,
  readPluginRecord,
} from "../object/plugin_record.ts";

export interface MissingPlugin {
  /** Which tells of it: a Shadow Pod, its Deployment, or what keeps it. */
  readonly object: KubeObject;
  readonly record: PluginRecord;
}

/** Those of sessions that are over, and have a step that is not known here, or finds nothing. */
export function missingPlugins(
  state: FoundState,
  steps: ReadonlyMap<string, AnyClusterStep>,
): MissingPlugin[] {
  const workloads = [
    ...state.pods,
    ...state.deployments,
    ...state.replicaSets,
  ];
  return workloads.filter((object) =>
    state.isOver(object) && state.isReadable(object)
  ).flatMap((object) => {
    const record = readPluginRecord(object);
    const isWhole = record?.steps.every((id) => steps.get(id)?.find) ?? true;
    return record === undefined || isWhole ? [] : [{ object, record }];
  });
}

/** What a person has to know. */
export function missingText(
  { object, record: { name: plugin, source, steps: ids, undo } }: MissingPlugin,
  steps: ReadonlyMap<string, AnyClusterStep>,
): string {
  const { kind = "Pod", metadata: { name, namespace = "" } } = object;
  const why = ids.some((id) => steps.has(id))
    ? `the plugin "${plugin}" does not tell what its sessions left: its author has to`
    : `it needs the plugin "${plugin}" (${source}), which is not loaded`;
  const last = `kubectl delete ${kind.toLowerCase()} ${name} -n ${namespace}`;
  const commands = [...undo, last].map((command) => `\`${command}\``);
  return `Left all of the session of ${kind} "${name}": ${why}. By hand, as its ${kind} says, so read it first: ${
    commands.join(", then ")
  }`;
}

/** Of what belongs to such a session nothing is deleted: it may serve in the place of what the plugin changed. */
export function isOfMissing(
  { belongsTo }: FoundChange,
  missing: readonly MissingPlugin[],
): boolean {
  const groups = new Set(groupsOf(missing.map(({ object }) => object)));
  return belongsTo.some((group) => groups.has(group));
}
