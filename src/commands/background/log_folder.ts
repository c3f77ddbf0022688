/** What sessions in the background tell: a file each, as `--output json` has it, below a first line that says whose it is. */
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { randomLower } from "../../core/random_name.ts";
import { readJson } from "../../core/read_json.ts";

/** The first line. */
export interface LogHeader {
  /** As a journal has it: `exchange web`. */
  readonly command: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

export interface SessionLog extends LogHeader {
  readonly path: string;
}

const MAX_HEADER_BYTES = 4 * 1024;
/** So many of sessions that have ended are kept. */
const KEPT = 20;
const SUFFIX = ".jsonl";

const header = v.object({
  log: v.literal(1),
  command: v.string(),
  startedAt: v.pipe(v.string(), v.isoTimestamp()),
});

/** Newest first. What is none of ours is left out. */
export function listLogs(dir: string): SessionLog[] {
  let names: string[];
  try {
    names = readdirSync(dir);
  } catch {
    return []; // nothing was ever started in the background
  }
  return names.filter((name) => name.endsWith(SUFFIX)).flatMap((name) => {
    const path = join(dir, name);
    const read = readHeader(path);
    return read === undefined ? [] : [{ path, ...read }];
  }).sort((a, b) => a.startedAt < b.startedAt ? 1 : -1);
}

/** Makes one, for whoever opens it to append. Throws what the disk fails with. */
export function createLog(dir: string, command: string): SessionLog {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const startedAt = new Date().toISOString();
  const path = join(
    dir,
    `${startedAt.replaceAll(/[:.]/g, "-")}-${randomLower(5)}${SUFFIX}`,
  );
  const file = openSync(path, "ax", 0o600);
  writeSync(file, `${JSON.stringify({ log: 1, command, startedAt })}\n`);
  closeSync(file);
  return { path, command, startedAt };
}

/** Drops the oldest that nobody writes to. */
export function dropOldLogs(dir: string, inUse: ReadonlySet<string>): void {
  const ended = listLogs(dir).filter(({ path }) => !inUse.has(path));
  for (const { path } of ended.slice(KEPT)) rmSync(path, { force: true });
}

function readHeader(path: string): LogHeader | undefined {
  try {
    const file = openSync(path, "r");
    try {
      const buffer = new Uint8Array(MAX_HEADER_BYTES);
      const bytes = readSync(file, buffer, 0, buffer.length, 0);
      const [line] = new TextDecoder().decode(buffer.subarray(0, bytes)).split(
        "\n",
      );
      const read = readJson(line, header, { maxChars: MAX_HEADER_BYTES });
      if (read.reason !== undefined) return undefined;
      const { command, startedAt } = read.value;
      return { command, startedAt };
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined; // gone meanwhile, or no file
  }
}
