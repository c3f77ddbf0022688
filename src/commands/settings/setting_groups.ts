import type { Command, Option } from "commander";

/** What goes to no cluster has nothing to set beside the global flags. */
const WITHOUT = new Set([
  "completion",
  "config",
  "help",
  "keep",
  "leave",
  "logs",
  "plugin",
]);

/** The flags that may be set, by group: `global`, and each verb's own. A verb that was not loaded has none here. */
export function settingGroups(
  program: Command,
): ReadonlyMap<string, readonly Option[]> {
  const verbs = program.commands.filter((one) => !WITHOUT.has(one.name()));
  return new Map(
    [
      ["global", program] as const,
      ...verbs.map((one) => [one.name(), one] as const),
    ]
      .map(([group, command]) => [group, command.options.filter(isSettable)]),
  );
}

/** Those that the help does not show have no effect. */
function isSettable(option: Option): boolean {
  return !option.hidden && option.attributeName() !== "version";
}
