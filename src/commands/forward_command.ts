import { Command } from "commander";
import { dryRunOption, type DryRunOptions } from "./dry_run/dry_run_option.ts";
import type { CommandHost } from "./session/command_host.ts";
import type { GlobalOptions } from "./session/global_options.ts";

export function forwardCommand(host: CommandHost): Command {
  return new Command("forward")
    .description(
      "Forwards a local port into the cluster, until you press Ctrl-C. " +
        "Pods are reached by port-forward, and when a pod goes away, the next one is used; " +
        "for any other address, ktctl starts a pod that connects to it.",
    )
    .argument(
      "<target>",
      "Service (web or svc/web), pod/x, deploy/x, or a host:port that the cluster reaches",
    )
    .argument(
      "[ports]",
      "port, local:port or :port (any local port); after host:port the local port",
    )
    .addOption(dryRunOption())
    .action(
      async (
        target: string,
        ports: string | undefined,
        _options: unknown,
        command: Command,
      ) => {
        const { forward } = await import("./forward.ts");
        const options = command.optsWithGlobals<
          GlobalOptions & DryRunOptions
        >();
        await forward(await host.open(), [target, ports], options);
      },
    );
}
