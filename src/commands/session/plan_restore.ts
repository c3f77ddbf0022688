import type { RestoreSpec } from "../../cluster/shadow/restore_account.ts";
import {
  exchangeObjects,
  meshObjects,
  previewObjects,
} from "../../cluster/shadow/restore_objects.ts";
import { UnsupportedError } from "../../core/errors.ts";
import type { TrafficPlan } from "./plan_traffic.ts";
import type { RestoreOptions } from "./restore_options.ts";

/** The modes whose every change is found by its objects. Those of `mesh --mode manual` are edits of rules. */
const MODES: ReadonlySet<string> = new Set([
  ...["selector", "scale", "router-pod", "service"],
]);

/**
 * Refuses it before anything is changed, and anybody is asked for a Service.
 *
 * @throws {UnsupportedError} `RESTORE_AFTER_MODE`.
 */
export function refuseRestoreMode(
  { plugin, origin }: Pick<TrafficPlan, "plugin" | "origin">,
  { restoreAfter }: Pick<RestoreOptions, "restoreAfter">,
): void {
  if (restoreAfter === undefined) return;
  if (origin === undefined && MODES.has(plugin.name)) return;
  throw new UnsupportedError(
    "RESTORE_AFTER_MODE",
    `Cannot use --restoreAfter with --mode ${plugin.name}: the Shadow Pod cannot see what that changes`,
    { hint: "Leave out --restoreAfter, or take another mode." },
  );
}

/** What the agent is to take back; undefined without `--restoreAfter`. */
export function planRestore(
  { verb, routing, target: { service } }: TrafficPlan,
  { restoreAfter: afterMs }: RestoreOptions,
): RestoreSpec | undefined {
  if (afterMs === undefined) return undefined;
  const { name } = service.metadata;
  const { config, name: shadow = name } = routing;
  const objects = {
    exchange: () => exchangeObjects({ service: name, config }),
    mesh: () => meshObjects({ service: name, shadow }),
    preview: () => previewObjects(name),
  };
  return { afterMs, objects: objects[verb]() };
}
