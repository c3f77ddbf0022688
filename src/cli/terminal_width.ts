/** The columns of a terminal; `undefined` for what is none. Some terminals say 0. */
export function terminalWidth(
  stream: Pick<typeof Deno.stdout, "isTerminal">,
): number | undefined {
  if (!stream.isTerminal()) return undefined;
  const { columns } = Deno.consoleSize();
  return columns >= 20 ? columns : undefined;
}
