/**
 * The variables of the environment that a flag may come from, the strongest first. One rule: `KTCTL_` and the
 * flag, and for a verb's own flag also `KTCTL_`, the verb and the flag.
 *
 * @example
 * flagVariables("exchange", "restoreAfter") // ["KTCTL_EXCHANGE_RESTORE_AFTER", "KTCTL_RESTORE_AFTER"]
 */
export function flagVariables(group: string, name: string): string[] {
  const flag = `KTCTL_${snake(name)}`;
  return group === "global"
    ? [flag]
    : [`KTCTL_${snake(group)}_${snake(name)}`, flag];
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter}`).replaceAll("-", "_")
    .toUpperCase();
}
