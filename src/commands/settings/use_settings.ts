/** What the process does with settings before a command's action. */
import { Command, CommanderError } from "commander";
import { UsageError } from "../../core/errors.ts";
import {
  addGlobalOptions,
  type GlobalOptions,
} from "../session/global_options.ts";
import type { DryRunOptions } from "../dry_run/dry_run_option.ts";
import type { Host } from "../session/host.ts";
import { applySettings, findSetting } from "./apply_settings.ts";
import type { SettingLayers } from "./load_layers.ts";

/** They must not fail, and need no setting. */
const IGNORES_SETTINGS = ["completion", "help", "keep", "leave", "logs"];

const NO_SETTINGS: SettingLayers = { layers: [] };

export interface UsedSettings {
  readonly globals: GlobalOptions;
  readonly warnings: readonly { code: string; message: string }[];
  readonly debug: readonly string[];
}

/** Gives the command its settings. Throws what `loadLayers` and `applySettings` throw. */
export async function useSettings(
  host: Host,
  command: Command,
): Promise<UsedSettings> {
  const verb = verbOf(command);
  if (IGNORES_SETTINGS.includes(verb)) {
    return { globals: command.optsWithGlobals(), warnings: [], debug: [] };
  }
  // it is what trusts them, and mends what is wrong in them: it reads them itself, where it needs them
  const isMending = verb === "config";
  const { layers, note } = await host.settings().catch((error) => {
    if (isMending && error instanceof UsageError) return NO_SETTINGS;
    throw error;
  });
  const env = host.env;
  const used = applySettings(command, { layers, env, isMending });
  passOverYaml(command);
  return {
    globals: command.optsWithGlobals(),
    warnings: note === undefined
      ? []
      : [{ code: "ORIGINAL_CONFIG", message: note }],
    debug: used.map(({ item, origin, place }) =>
      `${item}: ${origin}${place === undefined ? "" : ` (${place})`}`
    ),
  };
}

/** As a default, YAML is for the dry runs: nothing else has it, and what mends the setting must not be refused by it. */
function passOverYaml(command: Command): void {
  const { output, dryRun } = command.optsWithGlobals<
    GlobalOptions & DryRunOptions
  >();
  if (output !== "yaml" || dryRun) return;
  const program = programOf(command);
  if (program.getOptionValueSource("output") === "cli") return;
  program.setOptionValueWithSource("output", "human", "default");
}

function programOf(command: Command): Command {
  return command.parent === null ? command : programOf(command.parent);
}

function verbOf(command: Command): string {
  const { parent } = command;
  return parent === null || parent.parent === null
    ? command.name()
    : verbOf(parent);
}

/**
 * The plugins to load that no flag names: before a command line is parsed, as they bring flags along. For `config`
 * there are none: it is what names them, and mends what was named wrong.
 *
 * @throws {PermissionError} `CONFIG_UNTRUSTED`; what `loadLayers` throws
 */
export async function settledPlugins(
  host: Pick<Host, "env" | "settings">,
  argv: readonly string[],
): Promise<readonly string[]> {
  const verb = namedVerb(argv);
  if (verb === "config" || IGNORES_SETTINGS.includes(verb)) return [];
  const { layers } = await host.settings();
  const found = findSetting({ group: "global", name: "plugin" }, {
    layers,
    env: host.env,
  });
  if (found?.refusal !== undefined) throw found.refusal;
  if (found === undefined || typeof found.value === "boolean") return [];
  return [found.value].flat();
}

/** The verb of a command line that was not parsed: its first word that is no flag, nor a global flag's value. */
function namedVerb(argv: readonly string[]): string {
  const globals = new Command();
  addGlobalOptions(globals);
  const parser = new Command().exitOverride()
    .configureOutput({ writeErr() {} });
  // without what looks at their values
  for (const { flags } of globals.options) parser.option(flags);
  try {
    return parser.parseOptions([...argv]).operands[0] ?? "";
  } catch (error) {
    if (error instanceof CommanderError) return ""; // told when all of it is parsed
    throw error;
  }
}
