/**
 * Our lines in a resolv.conf. All that was there before stays in the file, made a comment where it
 * would be in the way: whoever has the file alone, after a crash and a reboot, can restore it.
 */

const BEGIN =
  /^# ktctl begin (\S+): until ktctl ends, the lines marked below do not count\n/;
const END = "# ktctl end\n";
const MARK = "#ktctl# ";
/** Lines that would say something else than ours, or that look like ours. */
const SILENCED = /^(?:\s*(?:nameserver|search|domain)\b|#ktctl#|# ktctl )/;

export interface ResolvConfBlock {
  /** Whose block it is. No white space. */
  readonly id: string;
  readonly nameserver: string;
  /** Searched before those of the file. */
  readonly search: readonly string[];
}

/** The file with our lines in front of it. @param before Without such lines. */
export function insertResolvConfBlock(
  before: string,
  block: ResolvConfBlock & { searchBefore: readonly string[] },
): string {
  const search = [...new Set([...block.search, ...block.searchBefore])];
  const lines = [
    `# ktctl begin ${block.id}: until ktctl ends, the lines marked below do not count\n`,
    // libc asks others after ours fails, musl asks all at once: both would be told "no such name"
    `nameserver ${block.nameserver}\n`,
    ...(search.length > 0 ? [`search ${search.join(" ")}\n`] : []),
    END,
  ];
  const silenced = before.split("\n").map((line) =>
    SILENCED.test(line) ? MARK + line : line
  );
  return lines.join("") + silenced.join("\n");
}

/** The file without our lines, and whose they were; `undefined` if it has none of ours. Changes made by others meanwhile are kept. */
export function removeResolvConfBlock(
  text: string,
): { id: string; before: string } | undefined {
  const start = text.search(new RegExp(BEGIN, "m"));
  const id = BEGIN.exec(text.slice(Math.max(0, start)))?.[1];
  if (start === -1 || id === undefined) return undefined;
  const end = text.indexOf(END, start);
  const rest = text.slice(0, start) +
    (end === -1 ? "" : text.slice(end + END.length));
  const before = rest.split("\n").map((line) =>
    line.startsWith(MARK) ? line.slice(MARK.length) : line
  );
  return { id, before: before.join("\n") };
}
