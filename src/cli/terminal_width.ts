/** The columns of a terminal; `undefined` for what is none. Some terminals say 0. */
export function terminalWidth(
  stream: { readonly isTTY: boolean; readonly columns: number },
): number | undefined {
  return stream.isTTY && stream.columns >= 20 ? stream.columns : undefined;
}
