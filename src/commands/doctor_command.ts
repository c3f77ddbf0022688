import { Command, Option } from "commander";
import type { CommandHost } from "./session/command_host.ts";

export function doctorCommand(host: CommandHost): Command {
  return new Command("doctor")
    .description(
      "Looks at this machine and at the cluster, and says of each thing whether it is good, and what to do " +
        "where it is not. Changes nothing, but for pods of its own with --pull and --linkTest. " +
        "Exit code 10 if something is bad.",
    )
    .addOption(
      new Option(
        "--pull",
        "start a pod of each of ktctl's two images, and end it",
      ).default(false),
    )
    .addOption(
      new Option(
        "--linkTest",
        "start a Shadow Pod, measure the link to it for some seconds, and end it",
      ).default(false),
    )
    .addOption(
      new Option(
        "--bundle <file>",
        "write all of it to a .tar.gz for a bug report, without secrets, names and addresses of yours",
      ),
    )
    .action(async (_options: unknown, command: Command) => {
      const { doctor } = await import("./doctor/doctor.ts");
      await doctor(await host.open(), command.optsWithGlobals());
    });
}
