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
 * What the agent is to take back; undefined without `--restoreAfter`.
 *
 * @throws {UnsupportedError} `RESTORE_AFTER_MODE`.
 */
export function planRestore(
  { verb, plugin, origin, routing, target: { service } }: TrafficPlan,
  { restoreAfter: afterMs }: RestoreOptions,
): RestoreSpec | undefined {
  if (afterMs === undefined) return undefined;
  if (origin !== undefined || !MODES.has(plugin.name)) {
    throw new UnsupportedError(
      "RESTORE_AFTER_MODE",
      `Cannot use --restoreAfter with --mode ${plugin.name}: the Shadow Pod cannot see what that changes`,
      { hint: "Leave out --restoreAfter, or take another mode." },
    );
  }
  const { name } = service.metadata;
  const { config, name: shadow = name } = routing;
  const objects = {
    exchange: () => exchangeObjects({ service: name, config }),
    mesh: () => meshObjects({ service: name, shadow }),
    preview: () => previewObjects(name),
  };
  return { afterMs, objects: objects[verb]() };
}
