/** What may stand in a place of a command line. */
import type { Command, Option } from "commander";
import { USES } from "../../cluster/rights/right_rule.ts";
import { RIGHTS_VERBS } from "../../cluster/rights/verb_roles.ts";
import { allItems } from "../../commands/config/config_input.ts";
import { profileNames } from "../../commands/config/list_profiles.ts";
import { usesOf } from "../../commands/rbac/parse_uses.ts";
import type { CommandHost } from "../../commands/session/command_host.ts";
import type { Host } from "../../commands/session/host.ts";
import { settingGroups } from "../../commands/settings/setting_groups.ts";
import { modeName } from "../../plugins/mode_name.ts";
import { ROUTING_VERBS, type RoutingVerb } from "../../plugins/routing_verb.ts";
import { AddedPlugins } from "../../plugins/added/added_plugins.ts";
import type { Candidate, ClusterWords } from "./cluster_words.ts";
import type { CompletionPlace } from "./completion_place.ts";
import { sessionWords } from "./session_words.ts";

/** The shell knows them. */
export const FILES = "files";

export interface CandidateSources {
  readonly program: Command;
  readonly host: Pick<CommandHost, "plugins">;
  readonly paths: Pick<
    Host,
    "configDir" | "pluginDir" | "journalDir" | "logDir"
  >;
  readonly cluster: ClusterWords;
}

/** All that there are; what the user has typed of it is not looked at but where it leads to others. */
export async function candidates(
  place: CompletionPlace,
  sources: CandidateSources,
): Promise<readonly Candidate[] | typeof FILES> {
  const { option, command, current, prefix } = place;
  if (option !== undefined) return await flagValues(option, place, sources);
  if (prefix !== "") return [];
  if (current.startsWith("-")) return flags(command, sources.program);
  if (command.commands.length > 0) {
    return place.operands.length === 0 ? subcommands(command) : [];
  }
  return await argumentWords(place, sources);
}

function flags(command: Command, program: Command): Candidate[] {
  const options = new Set([...command.options, ...program.options]);
  return [...options].filter(({ hidden, long }) => !hidden && long)
    .map(({ long, description }) => ({ value: long!, text: description }))
    .concat({ value: "--help", text: "display help for command" });
}

function subcommands(command: Command): Candidate[] {
  return command.commands.map((one) => ({
    value: one.name(),
    text: one.summary() || one.description(),
  }));
}

async function flagValues(
  option: Option,
  place: CompletionPlace,
  sources: CandidateSources,
): Promise<readonly Candidate[] | typeof FILES> {
  const { cluster } = sources;
  const [target] = place.operands;
  if (option.argChoices !== undefined) {
    return option.argChoices.map((value) => ({ value }));
  }
  switch (option.attributeName()) {
    case "context":
      return await cluster.contexts();
    case "namespace":
      return await cluster.namespaces();
    case "kubeconfig":
    case "plugin":
      return FILES;
    case "mode":
      return await modes(place.command.name(), sources);
    case "expose":
      return target === undefined
        ? []
        : lastPorts(place.current, await cluster.ports(target));
    case "with":
      return lastUses(place);
    case "versionMark":
      return target === undefined ? [] : await cluster.marks(target);
    default:
      return [];
  }
}

/** `8080:80,90`: what stands before the port that is typed now stays. */
function lastPorts(current: string, ports: readonly Candidate[]): Candidate[] {
  const before = current.replace(/[^:,]*$/, "");
  return ports.map(({ value, ...rest }) => ({
    value: before + value,
    ...rest,
  }));
}

/** `mode=scale,deploy`: what stands before the use that is typed now stays. */
function lastUses({ current, operands }: CompletionPlace): Candidate[] {
  const verbs = RIGHTS_VERBS.filter((verb) =>
    operands.length === 0 || operands.includes(verb)
  );
  const before = current.replace(/[^,]*$/, "");
  return [...new Set(verbs.flatMap(usesOf))].map((use) => ({
    value: before + use,
    text: USES[use],
  }));
}

async function modes(
  verb: string,
  { host }: CandidateSources,
): Promise<Candidate[]> {
  const isRouting = ROUTING_VERBS.some((one) => one === verb);
  const plugins = await host.plugins(
    isRouting ? verb as RoutingVerb : "connect",
  );
  return plugins.map((one) => ({ value: modeName(one), text: one.summary }));
}

async function argumentWords(
  { command, operands }: CompletionPlace,
  sources: CandidateSources,
): Promise<readonly Candidate[] | typeof FILES> {
  const { registeredArguments: all } = command;
  const last = all.at(-1);
  const argument = all[operands.length] ?? (last?.variadic ? last : undefined);
  if (argument === undefined) return [];
  if (argument.argChoices !== undefined) {
    return argument.argChoices.map((value) => ({ value }));
  }
  const { program, paths, cluster } = sources;
  switch (`${command.name()} ${argument.name()}`) {
    case "forward ports":
      return await cluster.ports(operands[0]!);
    case "help command":
      return subcommands(program);
    case "load-profile name":
    case "drop-profile name":
    case "save-profile name":
      return (await profileNames(paths)).map((value) => ({ value }));
    case "remove name":
      return await addedPlugins(paths);
    case "set value":
      return await settingValues(operands[0]!, sources);
  }
  switch (argument.name()) {
    case "service":
    case "target":
      return await cluster.services();
    case "session":
      return sessionWords(command.name(), paths);
    case "item":
      return items(program).map(({ group, name, option }) => ({
        value: `${group}.${name}`,
        text: option.description,
      }));
    case "module":
      return FILES;
    default:
      return [];
  }
}

function items(program: Command) {
  return allItems(settingGroups(program));
}

async function settingValues(
  item: string,
  sources: CandidateSources,
): Promise<readonly Candidate[] | typeof FILES> {
  const found = items(sources.program).find(({ group, name }) =>
    `${group}.${name}` === item
  );
  if (found === undefined) return [];
  const { option, group } = found;
  if (option.isBoolean()) return [{ value: "true" }, { value: "false" }];
  const command =
    sources.program.commands.find((one) => one.name() === group) ??
      sources.program;
  const place = { command, operands: [], given: {}, prefix: "", current: "" };
  return await flagValues(option, place, sources);
}

async function addedPlugins(
  { pluginDir }: Pick<Host, "pluginDir">,
): Promise<Candidate[]> {
  const records = await new AddedPlugins(pluginDir).list(() => {});
  return records.map(({ name, summary }) => ({ value: name, text: summary }));
}
