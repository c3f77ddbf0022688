/** `ktctl plugin`: for authors of plugins. */
import { Argument, Command, Option } from "commander";
import { parseWhole } from "../cli/flag_values.ts";
import { counted } from "../core/counted.ts";
import {
  messageOf,
  PluginError,
  UnsupportedError,
  UsageError,
} from "../core/errors.ts";
import { loadPlugin } from "../plugins/load_plugin.ts";
import type { RoutingPlugin, RoutingVerb } from "../plugins/plugin.ts";
import { PluginRegistry } from "../plugins/registry.ts";
import { type GlobalOptions, podOptions } from "./session/global_options.ts";
import type { Host } from "./session/host.ts";
import { openKube } from "./session/session.ts";

interface PluginOptions {
  readonly verb?: RoutingVerb;
  /** Values of the plugin's flags. */
  readonly set: Readonly<Record<string, string>>;
  /** Seconds. */
  readonly claimTimeout: number;
}

export function pluginCommand(host: Host): Command {
  return new Command("plugin")
    .description(
      "Proves on a real cluster that a routing plugin keeps its promises. Its Service is taken and given " +
        "back many times: name one that nobody else needs.",
    )
    .addArgument(new Argument("<action>", "what to do").choices(["test"]))
    .argument("<module>", "path or URL of the plugin")
    .argument("<service>", "Service or Deployment that it is to take")
    .addOption(
      new Option("--verb <verb>", "the verb to take it for").choices([
        "exchange",
        "mesh",
      ]),
    )
    .addOption(
      new Option(
        "--set <flag=value>",
        "value of a flag of the plugin's; may be given several times",
      ).argParser(parseSet).default({}, "none"),
    )
    .addOption(
      new Option("--claimTimeout <seconds>", "how long one claim may take")
        .argParser(parseWhole("claimTimeout", 1)).default(180),
    )
    .action((
      _action: string,
      source: string,
      service: string,
      _options: unknown,
      command: Command,
    ) => testPlugin(host, { source, service }, command.optsWithGlobals()));
}

function parseSet(
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

async function testPlugin(
  host: Host,
  { source, service }: { source: string; service: string },
  options: PluginOptions & GlobalOptions,
): Promise<void> {
  const report = host.report(options);
  const { signal } = host;
  const registry = new PluginRegistry();
  await loadPlugin(registry, source, { signal, report });
  const plugin = routingOf(registry, source);
  const flags = pluginFlags(plugin, options.set);
  const kube = await openKube(host, options, report);
  const { verb } = options;
  const { openRoutingLab } = await import("../plugins/routing_lab.ts");
  const { testRouting } = await import("../plugins/testing.ts");
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
function routingOf(
  registry: PluginRegistry,
  source: string,
): RoutingPlugin<never> {
  const [plugin] = [
    ...registry.routings("exchange"),
    ...registry.routings("mesh"),
  ];
  if (plugin !== undefined) return plugin;
  throw new UnsupportedError(
    "PLUGIN_NOT_ROUTING",
    `Cannot test ${source} by this command, which is for routing plugins alone`,
    {
      hint:
        "For a transport, call testTransport() of mod.ts: see docs/plugin-authors.md",
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
        ? "It has none"
        : `It has: ${names.map((one) => `--${one}`).join(", ")}`,
    },
  );
}

/** Of a failed comparison, what it was about. */
function textOf(error: unknown): string {
  return messageOf(error).split("\n").filter((line) => line.trim() !== "")
    .slice(0, 12).join(" ");
}
