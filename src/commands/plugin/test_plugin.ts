import { counted } from "../../core/counted.ts";
import {
  messageOf,
  PluginError,
  UnsupportedError,
  UsageError,
} from "../../core/errors.ts";
import { loadPlugin } from "../../plugins/load_plugin.ts";
import type {
  Plugin,
  RoutingPlugin,
  RoutingVerb,
} from "../../plugins/plugin.ts";
import { PluginRegistry } from "../../plugins/registry.ts";
import { type GlobalOptions, podOptions } from "../session/global_options.ts";
import type { Host } from "../session/host.ts";
import { openKube } from "../session/session.ts";

interface PluginOptions {
  readonly verb?: RoutingVerb;
  /** Values of the plugin's flags. */
  readonly set: Readonly<Record<string, string>>;
  /** Seconds. */
  readonly claimTimeout: number;
}

export function parseSet(
  text: string,
  before: Record<string, string>,
): Record<string, string> {
  const [name = "", ...rest] = text.split("=");
  if (name !== "" && rest.length > 0) {
    return { ...before, [name]: rest.join("=") };
  }
  throw new UsageError(
    "FLAG_INVALID",
    `Cannot read --set "${text}": it is not flag=value`,
  );
}

export async function testPlugin(
  host: Host,
  { source, service }: { source: string; service: string },
  options: PluginOptions & GlobalOptions,
): Promise<void> {
  const report = host.report(options);
  const { signal } = host;
  const registry = new PluginRegistry();
  const loaded = await loadPlugin(registry, source, { signal, report });
  const plugin = routingOf(loaded, source);
  const flags = pluginFlags(plugin, options.set);
  const kube = await openKube(host, options, report);
  const { verb } = options;
  const { openRoutingLab } = await import("../../plugins/routing_lab.ts");
  const { testRouting } = await import("../../plugins/testing.ts");
  await using lab = await openRoutingLab({
    ...{ plugin, target: service, options: flags },
    ...{ kube, pod: podOptions(options) },
    ...(verb !== undefined && { verb }),
  });
  const broken: string[] = [];
  let count = 0;
  host.conclude({
    state: "incomplete",
    reason: "Not all promises were looked at",
  });
  await testRouting({
    ...lab,
    stepTimeoutMs: options.claimTimeout * 1000,
    step: async (claim, run) => {
      // not within one: it has changes to take back
      signal.throwIfAborted();
      count++;
      try {
        await run();
        const message = `holds: ${claim}`;
        report.event({ event: "action", state: "done", message });
      } catch (error) {
        broken.push(claim);
        report.warn(
          "CLAIM_BROKEN",
          `Does not hold: ${claim}: ${textOf(error)}`,
        );
      }
    },
  });
  if (broken.length > 0) {
    host.conclude({
      state: "incomplete",
      reason: "What the plugin did not take back is still there",
    });
    throw new PluginError(
      "PLUGIN_UNSOUND",
      `Plugin "${plugin.name}" breaks ${broken.length} of ${
        counted(count, "promise")
      }`,
      {
        details: broken,
        hint:
          `Look at Service "${service}": what the plugin did not take back is still there`,
      },
    );
  }
  const reason = `Plugin "${plugin.name}" keeps all ${count} promises`;
  host.conclude({ state: "restored", reason });
}

/** @throws {UnsupportedError} `PLUGIN_NOT_ROUTING` */
function routingOf(plugin: Plugin, source: string): RoutingPlugin<never> {
  if (plugin.kind === "routing") return plugin;
  throw new UnsupportedError(
    "PLUGIN_NOT_ROUTING",
    `Cannot test ${source} by this command, which is for routing plugins alone`,
    {
      hint:
        "For a transport, call testTransport() of mod.ts: see docs/plugin-authors.md.",
    },
  );
}

function pluginFlags(
  { name, flags = [] }: RoutingPlugin<never>,
  set: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const names = flags.map((flag) => flag.name);
  const unknown = Object.keys(set).find((one) => !names.includes(one));
  if (unknown === undefined) return set;
  throw new UsageError(
    "FLAG_INVALID",
    `Cannot set "${unknown}": plugin "${name}" has no such flag`,
    {
      hint: names.length === 0
        ? "It has none."
        : `It has: ${names.map((one) => `--${one}`).join(", ")}.`,
    },
  );
}

/** Of a failed comparison, what it was about. */
function textOf(error: unknown): string {
  return messageOf(error).split("\n").filter((line) => line.trim() !== "")
    .slice(0, 12).join(" ");
}
