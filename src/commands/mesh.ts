/** `ktctl mesh`: only marked traffic of a Service comes to a local port. */
import { Command, Option } from "commander";
import { type ExposedPort, parseExpose } from "../cluster/service/expose.ts";
import { parseMark } from "../cluster/router/mesh_mark.ts";
import {
  findTarget,
  parseResourceName,
  wantedObject,
} from "../cluster/service/target.ts";
import { modeName } from "../plugins/registry.ts";
import type { GlobalOptions } from "./session/global_options.ts";
import type { Host } from "./session/host.ts";
import { planTraffic } from "./session/plan_traffic.ts";
import { addPluginFlags, pluginOptions } from "./session/plugin_flags.ts";
import { serveTraffic } from "./session/serve_traffic.ts";
import { openKube, runSession, sweepOwn } from "./session/session.ts";
import { trafficReadyEvent } from "./session/traffic_ready_event.ts";
import { withExpose } from "./session/with_expose.ts";

interface MeshOptions {
  readonly expose: ExposedPort[];
  readonly mode: string;
  readonly versionMark?: string;
  readonly skipPortChecking: boolean;
}

export async function meshCommand(host: Host): Promise<Command> {
  const plugins = (await host.registry()).routings("mesh");
  const modes = plugins.map((one) => `${modeName(one)}: ${one.summary}`)
    .join("; ");
  const command = new Command("mesh")
    .description(
      "Sends marked traffic of a Service to a port on this laptop, until you press Ctrl-C; all other traffic " +
        "still goes to the original workload. Several developers may mesh one Service at once.",
    )
    .argument(
      "<service>",
      "Service (web or svc/web), or Deployment (deploy/web)",
    )
    .addOption(
      new Option(
        "--expose <ports>",
        "ports of the Service to take: port or local:port, separated by commas",
      ).argParser(parseExpose),
    )
    .addOption(new Option("--mode <name>", modes).default("auto"))
    .addOption(
      new Option(
        "--versionMark <mark>",
        "header of the requests to send here (in mode manual, label of the pod): " +
          "value, key: or key:value (default: version and a random value)",
      ),
    )
    .addOption(
      new Option(
        "--skipPortChecking",
        "do not check that something listens on the local port",
      ).default(false),
    );
  addPluginFlags(command, plugins);
  return command.action((target: string, _options: unknown, self: Command) =>
    mesh(host, target, withExpose(self))
  );
}

export async function mesh(
  host: Host,
  name: string,
  options: MeshOptions & GlobalOptions,
): Promise<void> {
  const report = host.report(options);
  const resourceName = parseResourceName(name);
  const mark = parseMark(options.versionMark);
  const registry = await host.registry();
  const plugin = await registry.routing(options.mode, "mesh");
  const given = pluginOptions(plugin, registry.routings("mesh"), options);
  const wanted = wantedObject(resourceName);
  const kube = await openKube(host, { ...options, wanted }, report);
  await sweepOwn(host, kube, report);
  const plan = await report.step("check", async () => {
    const target = await findTarget(kube, resourceName, {
      signal: host.signal,
      warn: (message) => report.warn("SEVERAL_SERVICES", message),
    });
    const { expose, skipPortChecking } = options;
    return await planTraffic(host, { kube, report }, {
      verb: "mesh",
      plugin,
      pluginOptions: given,
      target,
      expose,
      skipPortChecking,
      mark,
      globals: options,
    });
  });
  await runSession(
    host,
    {
      globals: options,
      kube,
      report,
      command: `mesh ${name} --versionMark ${mark.key}:${mark.value}`,
      id: plan.context.session,
    },
    (session, markReady) =>
      serveTraffic(session, {
        plan,
        skipPortChecking: options.skipPortChecking,
        globals: options,
        onReady: (routed) => {
          markReady();
          report.event(trafficReadyEvent(plan, routed));
        },
      }),
  );
}
