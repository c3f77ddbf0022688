/** Our lines in a hosts file, between two markers. By hand: hostile knows lines, and not whose they are. */

const BEGIN = /^# ktctl begin (\S+)( +\(the line before had no end\))?\r?\n/gm;
const END = "# ktctl end\n";
/** An editor of Windows may have changed the ends of lines. */
const ANY_END = /# ktctl end\r?\n/g;
/** Each line tells on its own that it is ours: others may write between the markers. */
const TAG = " # ktctl";

export interface HostsBlock {
  /** Whose block it is. No white space. */
  readonly id: string;
  readonly entries: readonly {
    readonly address: string;
    readonly names: readonly string[];
  }[];
}

/** The file with our lines behind it. @param before Without such lines. */
export function appendHostsBlock(before: string, block: HostsBlock): string {
  const isCut = before !== "" && !before.endsWith("\n");
  return [
    isCut ? `${before}\n` : before,
    `# ktctl begin ${block.id}${
      isCut ? " (the line before had no end)" : ""
    }\n`,
    ...block.entries.map(({ address, names }) =>
      `${address} ${names.join(" ")}${TAG}\n`
    ),
    END,
  ].join("");
}

/**
 * The file without the first block of these, and which it was; `undefined` if it has none of them.
 *
 * @param ids @default anybody's
 */
export function removeHostsBlock(
  text: string,
  ids?: ReadonlySet<string>,
): { id: string; before: string } | undefined {
  const begin = text.matchAll(BEGIN)
    .find(([, id = ""]) => ids?.has(id) ?? true);
  if (begin === undefined) return undefined;
  const inside = begin.index + begin[0].length;
  ANY_END.lastIndex = inside;
  const end = ANY_END.exec(text);
  const stop = end?.index ?? text.length;
  const foreign = text.slice(inside, stop).split(/(?<=\n)/)
    .filter((line) => !line.trimEnd().endsWith(TAG)).join("");
  const tail = end === null ? "" : text.slice(end.index + end[0].length);
  let head = text.slice(0, begin.index);
  // somebody's line after it needs the end of line that we made
  if (begin[2] !== undefined && foreign + tail === "") head = head.slice(0, -1);
  return { id: begin[1] ?? "", before: head + foreign + tail };
}
