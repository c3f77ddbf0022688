/** Name → plugin. Two plugins of one name are an error that names both sources. */
import { objectStep } from "../cluster/object/object_step.ts";
import { serviceLockStep } from "../cluster/service/service_lock.ts";
import { joinShareStep } from "../cluster/share/share_join.ts";
import { didYouMean } from "../core/did_you_mean.ts";
import { PluginError, UsageError } from "../core/errors.ts";
import { originalReplicasStep } from "../cluster/scale/original_replicas.ts";
import type { AnyClusterStep } from "../kube/cluster_step.ts";
import type {
  Plugin,
  RoutingPlugin,
  RoutingVerb,
  TransportPlugin,
} from "./plugin.ts";
import { validatePlugin } from "./validate_plugin.ts";

/** The source of the plugins that ktctl brings along. */
export const BUILT_IN = "built-in";

interface Registered {
  readonly plugin: Plugin;
  /** Where it came from: {@link BUILT_IN}, a path, a URL. */
  readonly source: string;
}

export interface PluginOrigin {
  /** A path, or a URL. */
  readonly source: string;
  /** Ids of the steps that are the plugin's own. */
  readonly steps: readonly string[];
}

/**
 * The steps that commands take beside those of plugins. What nobody else knows of an object, its
 * deletion, comes last.
 */
const HOST_STEPS: readonly AnyClusterStep[] = [
  originalReplicasStep,
  serviceLockStep,
  joinShareStep,
  objectStep,
];

export class PluginRegistry {
  #plugins = new Map<string, Registered>();
  #steps = new Map(HOST_STEPS.map((step) => [step.id, step]));

  /**
   * Throws `PluginError` (`PLUGIN_INVALID`, `PLUGIN_API_VERSION`, `PLUGIN_DUPLICATE`,
   * `PLUGIN_STEP_DUPLICATE`).
   */
  add(value: unknown, source: string): void {
    const plugin = validatePlugin(value, source);
    const others = [...this.#plugins.values()].filter((one) =>
      one.plugin.kind === plugin.kind
    );
    for (const name of namesOf(plugin)) {
      const present = others.find((one) => namesOf(one.plugin).includes(name));
      if (present === undefined) continue;
      throw new PluginError(
        "PLUGIN_DUPLICATE",
        `Cannot load ${plugin.kind} plugin "${name}" from ${source}: ${present.source} has one of that name`,
        { hint: "Rename one of them" },
      );
    }
    this.#addSteps(plugin, source);
    this.#plugins.set(`${plugin.kind}/${plugin.name}`, { plugin, source });
  }

  /**
   * A journal names a step by its id alone: another step under the same one would be handed arguments
   * of a stranger. Plugins may share one, such as the host's own.
   */
  #addSteps({ steps, name }: Plugin, source: string): void {
    const added = new Map(this.#steps);
    for (const step of steps) {
      const present = added.get(step.id);
      if (present !== undefined && present !== step) {
        throw new PluginError(
          "PLUGIN_STEP_DUPLICATE",
          `Cannot load plugin "${name}" from ${source}: there is another step "${step.id}" already`,
          { hint: `Begin its id with the plugin's name: "${name}.…"` },
        );
      }
      added.set(step.id, step);
    }
    this.#steps = added;
  }

  /** The routing plugin that `--mode` names. Throws `UsageError` (`MODE_UNKNOWN`) with what there is. */
  routing(name: string, verb: RoutingVerb): RoutingPlugin<never> {
    return named(name, this.routings(verb), verb);
  }

  /** The transport plugin that `--mode` names. Throws `UsageError` (`MODE_UNKNOWN`). */
  transport(name: string): TransportPlugin<never> {
    return named(name, this.transports(), "connect");
  }

  /** The plugins that `connect` can work with. */
  transports(): TransportPlugin<never>[] {
    return [...this.#plugins.values()].map(({ plugin }) => plugin)
      .filter((plugin): plugin is TransportPlugin<never> =>
        plugin.kind === "transport"
      );
  }

  /** The routing plugins that can work for a verb. */
  routings(verb: RoutingVerb): RoutingPlugin<never>[] {
    return [...this.#plugins.values()].map(({ plugin }) => plugin)
      .filter((plugin): plugin is RoutingPlugin<never> =>
        plugin.kind === "routing" && plugin.verbs.includes(verb)
      );
  }

  /** Every step that a journal may name, the plugins' and then the host's own, by its id. */
  steps(): ReadonlyMap<string, AnyClusterStep> {
    const isHosts = (step: AnyClusterStep) => HOST_STEPS.includes(step);
    const all = [...this.#steps];
    return new Map([
      ...all.filter(([, step]) => !isHosts(step)),
      ...all.filter(([, step]) => isHosts(step)),
    ]);
  }

  /** Where a plugin came from, and what it changes in clusters; undefined for those that ktctl brings along. */
  origin(plugin: Plugin): PluginOrigin | undefined {
    const found = [...this.#plugins.values()].find((one) =>
      one.plugin === plugin
    );
    if (found === undefined || found.source === BUILT_IN) return undefined;
    const steps = plugin.steps.filter((step) => !HOST_STEPS.includes(step));
    return { source: found.source, steps: steps.map(({ id }) => id) };
  }
}

function named<P extends Plugin>(
  name: string,
  plugins: readonly P[],
  verb: string,
): P {
  const plugin = plugins.find((one) => namesOf(one).includes(name));
  if (plugin !== undefined) return plugin;
  const names = plugins.map((one) => modeName(one));
  const guess = didYouMean(name, plugins.flatMap(namesOf));
  throw new UsageError("MODE_UNKNOWN", `Unknown --mode "${name}" for ${verb}`, {
    hint: `${
      guess === undefined ? "" : `Did you mean "${guess}"? `
    }There are: ${names.join(", ")}`,
  });
}

function namesOf({ name, aliases = [] }: Plugin): string[] {
  return [name, ...aliases];
}

/** What users of the original ktctl know the plugin by, where they do. */
export function modeName({ name, aliases = [] }: Plugin): string {
  return aliases[0] ?? name;
}
