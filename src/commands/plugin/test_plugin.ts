import { counted } from "../../core/counted.ts";
import { messageOf, PluginError, UsageError } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import type { KitStep } from "../../plugins/kit/kit_steps.ts";
import { loadPlugin } from "../../plugins/load_plugin.ts";
import type { Plugin } from "../../plugins/plugin.ts";
import { PluginRegistry } from "../../plugins/registry.ts";
import type { RoutingVerb } from "../../plugins/routing_verb.ts";
import { type GlobalOptions, podOptions } from "../session/global_options.ts";
import type { Host } from "../session/host.ts";
import { openKube } from "../session/session.ts";

interface PluginOptions {
  /** For a routing plugin. */
  readonly verb?: RoutingVerb;
  /** For a transport, as `TransportLabOptions` has it. */
  readonly via?: string;
  /** Values of the plugin's flags. */
  readonly set: Readonly<Record<string, string>>;
  /** Seconds. */
  readonly claimTimeout: number;
}

/**
 * Runs the kit of the plugin's kind, claim by claim.
 *
 * @param source Path or URL of the plugin.
 * @param service Which Service a routing plugin is to take.
 * @throws {PluginError} `PLUGIN_UNSOUND` where a claim does not hold
 * @throws {UsageError} `SERVICE_MISSING`, `FLAG_INVALID`, `VIA_MISSING`
 */
export async function testPlugin(
  host: Host,
  { source, service }: { source: string; service: string | undefined },
  options: PluginOptions & GlobalOptions,
): Promise<void> {
  const report = host.report(options);
  const { signal } = host;
  const plugin = await loadPlugin(new PluginRegistry(), source, {
    signal,
    report,
  });
  const flags = pluginFlags(plugin, options.set);
  refuseWrongKind(plugin, service, options);
  const kube = await openKube(host, options, report);
  const { verb, via } = options;
  const common = { kube, pod: podOptions(options), options: flags };
  const stepTimeoutMs = options.claimTimeout * 1000;
  if (plugin.kind === "transport") {
    const { openTransportLab } = await import(
      "../../plugins/kit/transport_lab.ts"
    );
    const { testTransport } = await import(
      "../../plugins/kit/testing_transport.ts"
    );
    await using lab = await openTransportLab({
      ...{ ...common, plugin },
      ...(via !== undefined && { via }),
    });
    return await tellClaims(
      host,
      { plugin, report },
      (step) => testTransport({ ...lab, stepTimeoutMs, step }),
    );
  }
  const { openRoutingLab } = await import("../../plugins/kit/routing_lab.ts");
  const { testRouting } = await import("../../plugins/kit/testing.ts");
  await using lab = await openRoutingLab({
    ...{ ...common, plugin, target: service! },
    ...(verb !== undefined && { verb }),
  });
  await tellClaims(
    host,
    { plugin, report, service },
    (step) => testRouting({ ...lab, stepTimeoutMs, step }),
  );
}

/** What is about the other kind would be passed over without a word. */
function refuseWrongKind(
  { kind, name }: Plugin,
  service: string | undefined,
  { verb, via }: PluginOptions,
): void {
  const isRouting = kind === "routing";
  if (isRouting && service === undefined) {
    throw new UsageError(
      "SERVICE_MISSING",
      `Cannot test the routing plugin "${name}" without a Service`,
      { hint: "Name one that nobody else needs, behind the plugin." },
    );
  }
  const extra = isRouting
    ? via && "--via"
    : (service && "a Service") ?? (verb && "--verb");
  if (extra === undefined) return;
  throw new UsageError(
    "FLAG_INVALID",
    `Cannot use ${extra} with the ${kind} plugin "${name}"`,
    { hint: "Leave it out." },
  );
}

/** Runs `kit`, tells of each claim, and says at the end what there is to say of all. */
async function tellClaims(
  host: Host,
  { plugin, report, service }: {
    plugin: Plugin;
    report: Report;
    service?: string | undefined;
  },
  kit: (step: KitStep) => Promise<void>,
): Promise<void> {
  const broken: string[] = [];
  let count = 0;
  host.conclude({
    state: "incomplete",
    reason: "Not all promises were looked at",
  });
  await kit(async (claim, run) => {
    // not within one: it has changes to take back
    host.signal.throwIfAborted();
    count++;
    try {
      await run();
      const message = `holds: ${claim}`;
      report.event({ event: "action", state: "done", message });
    } catch (error) {
      broken.push(claim);
      report.warn("CLAIM_BROKEN", `Does not hold: ${claim}: ${textOf(error)}`);
    }
  });
  if (broken.length === 0) {
    const reason = `Plugin "${plugin.name}" keeps all ${count} promises`;
    host.conclude({ state: "restored", reason });
    return;
  }
  host.conclude({
    state: "incomplete",
    reason: "What the plugin did not undo is still there",
  });
  const where = service === undefined
    ? "this machine's addresses, routes and names"
    : `Service "${service}"`;
  throw new PluginError(
    "PLUGIN_UNSOUND",
    `Plugin "${plugin.name}" breaks ${broken.length} of ${
      counted(count, "promise")
    }`,
    {
      details: broken,
      hint: `Look at ${where}: what the plugin did not undo is still there.`,
    },
  );
}

function pluginFlags(
  { name, flags = [] }: Plugin,
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
