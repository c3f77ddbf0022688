import { UsageError } from "../../core/errors.ts";
import type { Host } from "../session/host.ts";
import { PROJECT_FILE } from "../settings/project_file.ts";
import { needsTrust } from "../settings/needs_trust.ts";
import { itemName } from "../settings/setting.ts";
import { TrustedFiles } from "../settings/trusted_files.ts";
import type { ConfigInput } from "./config_input.ts";
import { valueText } from "./show_settings.ts";

/** Says which settings of the project's file need trust, and keeps that it has it. Throws `UsageError` (`PROJECT_MISSING`, `CONFIG_UNREADABLE`). */
export async function trustProject(
  host: Host,
  { options }: ConfigInput<{ revoke: boolean }>,
): Promise<void> {
  const report = host.report(options);
  const { project, layers } = await host.settings();
  if (project === undefined) {
    throw new UsageError(
      "PROJECT_MISSING",
      `There is no ${PROJECT_FILE} here, nor in a folder above`,
      { hint: "Run it in the project's folder." },
    );
  }
  const { file } = project;
  const files = new TrustedFiles(host.trustDir);
  if (options.revoke) {
    await files.remove(file);
    const reason = `"${file}" is not trusted any more`;
    return host.conclude({ state: "restored", reason });
  }
  // what is listed is what it is of
  const digest = await project.digest();
  const layer = layers.find(({ origin }) => origin === "project")!;
  for (const setting of layer.settings) {
    if (!needsTrust(setting)) continue;
    const name = itemName(setting);
    const { value, line } = setting;
    report.event({
      event: "setting",
      message: `${name} = ${valueText(value)}`,
      ...{ name, value, origin: "project", file, line, isTrusted: true },
    });
  }
  await files.add(file, digest);
  host.conclude({ state: "restored", reason: `"${file}" is trusted as it is` });
}
