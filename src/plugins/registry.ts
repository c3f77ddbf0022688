/** Name → plugin. Two plugins of one name are an error that names both sources. */
import { objectStep } from "../cluster/object/object_step.ts";
import { serviceLockStep } from "../cluster/service/service_lock.ts";
import { joinShareStep } from "../cluster/share/share_join.ts";
import { didYouMean } from "../core/did_you_mean.ts";
import { PluginError, UsageError } from "../core/errors.ts";
import { originalReplicasStep } from "../cluster/scale/original_replicas.ts";
import type { AnyClusterStep } from "../kube/cluster_step.ts";
import { modeName } from "./mode_name.ts";
import type { Plugin, RoutingPlugin, TransportPlugin } from "./plugin.ts";
import type { PluginListing } from "./plugin_listing.ts";
import type { RoutingVerb } from "./routing_verb.ts";
import { validatePlugin } from "./validate_plugin.ts";
import { type PluginVerb, worksFor } from "./works_for.ts";

/** The source of the plugins that ktctl brings along. */
export const BUILT_IN = "built-in";

interface Registered {
  readonly listing: PluginListing;
  /** Where it came from: {@link BUILT_IN}, a path, a URL. */
  readonly source: string;
  /** Undefined until an added one is needed. */
  plugin?: Plugin;
  readonly added?: AddedPlugin;
}

/** A plugin whose code runs only when it is needed. */
export interface AddedPlugin {
  readonly listing: PluginListing;
  /** The path or URL that it was added from. */
  readonly from: string;
  /** Ids of its steps. */
  readonly steps: readonly string[];
  /** Runs its code; gives its default export. */
  readonly load: () => Promise<unknown>;
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
  add(value: unknown, source: string): Plugin {
    const plugin = validatePlugin(value, source);
    this.#refuseDuplicate(plugin, source);
    this.#addSteps(plugin, source);
    this.#plugins.set(keyOf(plugin), { listing: plugin, source, plugin });
    return plugin;
  }

  /**
   * Makes a plugin known that is loaded when it is needed. Throws `PluginError` (`PLUGIN_DUPLICATE`,
   * `PLUGIN_STEP_DUPLICATE`).
   */
  addUnloaded(added: AddedPlugin, source: string): void {
    const { listing, steps } = added;
    this.#refuseDuplicate(listing, source);
    const taken = [...this.#plugins.values()]
      .flatMap(({ added }) => added?.steps ?? []);
    const known = steps.find((id) => this.#steps.has(id) || taken.includes(id));
    if (known !== undefined) {
      throw stepDuplicate(listing.name, { source, id: known });
    }
    this.#plugins.set(keyOf(listing), { listing, source, added });
  }

  #refuseDuplicate(plugin: PluginListing, source: string): void {
    const others = [...this.#plugins.values()].filter(({ listing }) =>
      listing.kind === plugin.kind
    );
    for (const name of namesOf(plugin)) {
      const present = others.find((one) => namesOf(one.listing).includes(name));
      if (present === undefined) continue;
      throw new PluginError(
        "PLUGIN_DUPLICATE",
        `Cannot load ${plugin.kind} plugin "${name}" from ${source}: ${present.source} has one of that name`,
        { hint: "Rename one of them." },
      );
    }
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
        throw stepDuplicate(name, { source, id: step.id });
      }
      added.set(step.id, step);
    }
    this.#steps = added;
  }

  /**
   * The routing plugin that `--mode` names. Throws `UsageError` (`MODE_UNKNOWN`) with what there is, and
   * what loading an added plugin throws.
   */
  async routing(
    name: string,
    verb: RoutingVerb,
  ): Promise<RoutingPlugin<never>> {
    const listing = named(name, this.listings(verb), verb);
    return await this.#loaded(listing) as RoutingPlugin<never>;
  }

  /** The transport plugin that `--mode` names. Throws as {@link routing} does. */
  async transport(name: string): Promise<TransportPlugin<never>> {
    const listing = named(name, this.listings("connect"), "connect");
    return await this.#loaded(listing) as TransportPlugin<never>;
  }

  /** The plugins that `--mode` of a verb knows. */
  listings(verb: PluginVerb): PluginListing[] {
    return [...this.#plugins.values()].map(({ listing }) => listing)
      .filter((listing) => worksFor(listing, verb));
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
    const source = found.added?.from ?? found.source;
    return { source, steps: steps.map(({ id }) => id) };
  }

  /**
   * Loads the added plugins that have one of these steps, so that {@link steps} knows it.
   *
   * @param ids Asked for only where an added plugin has steps at all.
   * @param onFailure Told why one cannot be loaded; its steps stay unknown.
   */
  async loadSteps(
    ids: () => ReadonlySet<string>,
    onFailure: (error: PluginError) => void,
  ): Promise<void> {
    const unloaded = [...this.#plugins.values()].filter((
      { plugin, added },
    ) => plugin === undefined && added !== undefined && added.steps.length > 0);
    if (unloaded.length === 0) return;
    const wanted = ids();
    for (const { listing, added } of unloaded) {
      if (!added?.steps.some((id) => wanted.has(id))) continue;
      try {
        await this.#loaded(listing);
      } catch (error) {
        if (!(error instanceof PluginError)) throw error;
        onFailure(error);
      }
    }
  }

  async #loaded(listing: PluginListing): Promise<Plugin> {
    const entry = this.#plugins.get(keyOf(listing))!;
    if (entry.plugin === undefined) {
      const { source, added } = entry;
      const plugin = validatePlugin(await added!.load(), source);
      if (keyOf(plugin) !== keyOf(listing)) {
        throw new PluginError(
          "PLUGIN_CHANGED",
          `Cannot load the plugin "${listing.name}": the code in ${source} is that of ${plugin.kind} plugin "${plugin.name}"`,
          {
            hint:
              `Remove it by \`ktctl plugin remove ${listing.name}\`, and add it again.`,
          },
        );
      }
      this.#addSteps(plugin, source);
      entry.plugin = plugin;
    }
    return entry.plugin;
  }
}

function keyOf({ kind, name }: PluginListing): string {
  return `${kind}/${name}`;
}

function stepDuplicate(
  name: string,
  { source, id }: { source: string; id: string },
): PluginError {
  return new PluginError(
    "PLUGIN_STEP_DUPLICATE",
    `Cannot load plugin "${name}" from ${source}: there is another step "${id}" already`,
    { hint: `Begin its id with the plugin's name: "${name}.…".` },
  );
}

function named(
  name: string,
  plugins: readonly PluginListing[],
  verb: string,
): PluginListing {
  const plugin = plugins.find((one) => namesOf(one).includes(name));
  if (plugin !== undefined) return plugin;
  const names = plugins.map((one) => modeName(one));
  const guess = didYouMean(name, plugins.flatMap(namesOf));
  throw new UsageError("MODE_UNKNOWN", `Unknown --mode "${name}" for ${verb}`, {
    hint: `${
      guess === undefined ? "" : `Did you mean "${guess}"? `
    }There are: ${names.join(", ")}.`,
  });
}

function namesOf({ name, aliases = [] }: PluginListing): string[] {
  return [name, ...aliases];
}
