import type { AnyStep } from "../core/step.ts";
import { objectStep } from "../cluster/object_step.ts";
import { serviceLockStep } from "../cluster/service_lock.ts";
import type { World } from "../kube/world.ts";
import type { PluginRegistry } from "../plugins/registry.ts";

/** Every step that a journal may name: the host's own and the plugins'. */
export function knownSteps(
  registry: PluginRegistry,
): ReadonlyMap<string, AnyStep<World>> {
  const own: AnyStep<World>[] = [objectStep, serviceLockStep];
  return new Map([
    ...own.map((step) => [step.id, step] as const),
    ...registry.steps(),
  ]);
}
