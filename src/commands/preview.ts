/** `ktctl preview`: a new Service of the cluster leads to a local port. */
import { Command, Option } from "commander";
import { refuseBadServiceName } from "../cluster/object/object_name.ts";
import { parseExpose } from "../cluster/service/expose.ts";
import { draftService } from "../cluster/shadow/draft_service.ts";
import { modeName } from "../plugins/registry.ts";
import type { Host } from "./session/host.ts";
import { addPluginFlags } from "./session/plugin_flags.ts";
import { addRestoreOptions } from "./session/restore_options.ts";
import { runTraffic, type TrafficOptions } from "./session/run_traffic.ts";
import { withExpose } from "./session/with_expose.ts";

export async function previewCommand(host: Host): Promise<Command> {
  const plugins = (await host.registry()).routings("preview");
  const modes = plugins.map((one) => `${modeName(one)}: ${one.summary}`)
    .join("; ");
  const command = new Command("preview")
    .description(
      "Creates a Service that sends its traffic to a port on this laptop, until you press Ctrl-C.",
    )
    .argument("<name>", "name of the Service to create")
    .addOption(
      new Option(
        "--expose <ports>",
        "port or local:port of the new Service, separated by commas",
      )
        .argParser(parseExpose),
    )
    .addOption(new Option("--mode <name>", modes).default("service"))
    .addOption(
      new Option(
        "--skipPortChecking",
        "do not check that something listens on the local port",
      ).default(false),
    );
  addPluginFlags(addRestoreOptions(command), plugins);
  return command.action((name: string, _options: unknown, self: Command) =>
    preview(host, name, withExpose(self))
  );
}

export async function preview(
  host: Host,
  name: string,
  options: TrafficOptions,
): Promise<void> {
  const report = host.report(options);
  refuseBadServiceName(name);
  const ports = options.expose.map(({ remote }) => remote);
  await runTraffic(host, options, {
    verb: "preview",
    report,
    command: `preview ${name}`,
    findTarget: ({ namespace }) => ({
      service: draftService({ name, namespace, ports }),
    }),
  });
}
