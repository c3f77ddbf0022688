/** `ktctl mesh`: only marked traffic of a Service comes to a local port. */
import { Command, Option } from "commander";
import { parseExpose } from "../cluster/service/expose.ts";
import { parseMark } from "../cluster/router/mesh_mark.ts";
import {
  findTarget,
  parseResourceName,
  wantedObject,
} from "../cluster/service/target.ts";
import { modeName } from "../plugins/registry.ts";
import type { Host } from "./session/host.ts";
import { addPluginFlags } from "./session/plugin_flags.ts";
import { addRestoreOptions } from "./session/restore_options.ts";
import { takeOverOption } from "./session/take_over_option.ts";
import { runTraffic, type TrafficOptions } from "./session/run_traffic.ts";
import { withExpose } from "./session/with_expose.ts";

interface MeshOptions extends TrafficOptions {
  readonly versionMark?: string;
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
    )
    .addOption(takeOverOption());
  addPluginFlags(addRestoreOptions(command), plugins);
  return command.action((target: string, _options: unknown, self: Command) =>
    mesh(host, target, withExpose(self))
  );
}

export async function mesh(
  host: Host,
  name: string,
  options: MeshOptions,
): Promise<void> {
  const report = host.report(options);
  const resourceName = parseResourceName(name);
  const mark = parseMark(options.versionMark);
  await runTraffic(host, options, {
    verb: "mesh",
    report,
    takenName: name,
    command: `mesh ${name} --versionMark ${mark.key}:${mark.value}`,
    wanted: wantedObject(resourceName),
    mark,
    findTarget: (kube) =>
      findTarget(kube, resourceName, {
        signal: host.signal,
        warn: (message) => report.warn("SEVERAL_SERVICES", message),
      }),
  });
}
