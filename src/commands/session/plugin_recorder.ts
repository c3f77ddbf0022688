import {
  type PluginRecord,
  pluginRecordText,
} from "../../cluster/object/plugin_record.ts";
import {
  annotationPatch,
  updateObject,
} from "../../cluster/object/update_object.ts";
import { messageOf } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { Report } from "../../core/report.ts";
import { PLUGIN } from "../../kube/annotations.ts";
import type { KubeApi, ObjectRef } from "../../kube/kube_api.ts";
import type { World } from "../../kube/world.ts";
import type { PluginScope } from "../../plugins/plugin.ts";
import type { PluginOrigin } from "../../plugins/registry.ts";
import type { Step } from "../../undo/step.ts";

/**
 * Tells on the Shadow Pod of a session which plugin of somebody else's it works with, and what that
 * changed: who finds the session dead has no other way to know.
 */
export class PluginRecorder {
  readonly #kube: KubeApi;
  readonly #name: string;
  readonly #origin: PluginOrigin | undefined;
  readonly #report: Pick<Report, "warn">;
  /** Undo commands of changes that stand, oldest first. */
  #undo = new Set<string>();
  #workload: ObjectRef | undefined;

  constructor(
    kube: KubeApi,
    plugin: { readonly name: string },
    { origin, report }: {
      origin: PluginOrigin | undefined;
      report: Pick<Report, "warn">;
    },
  ) {
    this.#kube = kube;
    this.#name = plugin.name;
    this.#origin = origin;
    this.#report = report;
  }

  /** Those of a Shadow Pod that is made now; none where all of the plugin's steps are ktctl's own. */
  annotations(): Record<string, string> {
    const record = this.#record();
    return record === undefined ? {} : { [PLUGIN]: pluginRecordText(record) };
  }

  /** From now on each change is told there before it is made. */
  follow(workload: ObjectRef): void {
    this.#workload = workload;
  }

  /** The scope of the plugin, whose changes are told. */
  recorded(scope: PluginScope): PluginScope {
    return {
      signal: scope.signal,
      use: (resource, name) => scope.use(resource, name),
      defer: (name, release) => scope.defer(name, release),
      background: (name, task) => scope.background(name, task),
      run: async (step, args, input) => {
        await this.#tell(scope, step, args).catch((error) =>
          this.#onUntold(scope, error)
        );
        return await scope.run(step, args, input);
      },
    };
  }

  async #tell<A extends Json>(
    scope: PluginScope,
    step: Step<A, never, unknown, World>,
    args: A,
  ): Promise<void> {
    if (!this.#origin?.steps.includes(step.id)) return;
    const command = step.undoCommand(args);
    if (this.#undo.has(command)) return;
    this.#undo.add(command);
    scope.defer(
      "the plugin's record",
      () => void this.#undo.delete(command),
    );
    const ref = this.#workload;
    if (ref === undefined) return;
    const annotations = this.annotations();
    await updateObject(
      this.#kube,
      ref,
      (object) => annotationPatch(object, annotations),
      { signal: scope.signal },
    );
  }

  /** It is for others, should this session die: the session itself does without. */
  #onUntold({ signal }: PluginScope, error: unknown): void {
    if (signal.aborted) return; // the change is not made either
    this.#report.warn(
      "PLUGIN_UNRECORDED",
      `Cannot tell on the Shadow Pod what the plugin "${this.#name}" changes: ${
        messageOf(error)
      }; if this session dies, only this laptop knows how to undo it`,
    );
  }

  #record(): PluginRecord | undefined {
    const { source, steps } = this.#origin ?? { source: "", steps: [] };
    if (steps.length === 0) return undefined;
    const undo = [...this.#undo].reverse();
    return { name: this.#name, source, steps, undo };
  }
}
