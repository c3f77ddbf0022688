/** A command comes last in its line, and may have anything in it. */
const WORDS = / *(?:to undo: .+|(?:`[^`]*`|[^ `]|`)+)/g;

/**
 * Breaks lines at spaces, so that a terminal does not break them in the middle of words. By hand:
 * wrap-ansi would break a command, too. What stands
 * in backquotes stays in one piece, to be copied, and so does a command after "to undo: ".
 *
 * @param width Of the terminal; `undefined` where there is none, and nothing is to be broken.
 * @param indent Before each line but the first.
 */
export function wrapText(
  text: string,
  width: number | undefined,
  indent = "  ",
): string {
  const lines = text.split("\n").flatMap((line, at) =>
    wrapLine(line, width ?? Infinity, at === 0 ? "" : indent)
  );
  return lines.map((line, at) => at === 0 ? line : indent + line).join("\n");

  function wrapLine(line: string, width: number, first: string): string[] {
    if (first.length + line.length <= width) return [line];
    const wrapped: string[] = [];
    let current = "";
    for (const word of line.match(WORDS) ?? [line]) {
      const room = width - (wrapped.length === 0 ? first : indent).length;
      if (current !== "" && current.length + word.length > room) {
        wrapped.push(current);
        current = word.trimStart();
      } else current += word;
    }
    return [...wrapped, current];
  }
}
