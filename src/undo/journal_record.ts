/** The lines of a journal. */
import * as v from "valibot";
import type { Json } from "../core/json.ts";
import { type Read, readJson } from "../core/read_json.ts";

/** Which process, and which cluster, a journal is about. */
export interface JournalHeader {
  readonly type: "session";
  readonly version: 1;
  readonly session: string;
  readonly pid: number;
  /** Several may have the same home directory; of a version before that, or another system, it is not known. */
  readonly machine?: string;
  /** The verb and its target, e.g. `exchange web`. */
  readonly command: string;
  /** The `KUBECONFIG` list or `--kubeconfig` path that was in force, made absolute. */
  readonly kubeconfig: string | null;
  readonly context: string;
  readonly server: string;
  readonly namespace: string;
  /** Unix seconds. */
  readonly startedAt: number;
  /** Where its process answers, if it does. */
  readonly socket?: string;
  /** Where it writes what it tells, if it runs in the background. */
  readonly log?: string;
}

export type JournalRecord =
  | JournalHeader
  | {
    readonly type: "intent";
    readonly n: number;
    readonly step: string;
    readonly args: Json;
  }
  | { readonly type: "applied"; readonly n: number }
  | { readonly type: "reverted"; readonly n: number };

/** A step's arguments may name thousands of addresses. */
const MAX_CHARS = 4 * 1024 * 1024;

const n = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const record: v.GenericSchema<unknown, JournalRecord> = v.variant("type", [
  v.object({
    type: v.literal("session"),
    version: v.literal(1),
    session: v.string(),
    pid: v.pipe(v.number(), v.safeInteger()),
    machine: v.exactOptional(v.string()),
    command: v.string(),
    kubeconfig: v.nullable(v.string()),
    context: v.string(),
    server: v.string(),
    namespace: v.string(),
    startedAt: v.pipe(v.number(), v.finite()),
    socket: v.exactOptional(v.string()),
    log: v.exactOptional(v.string()),
  }),
  v.object({
    type: v.literal("intent"),
    n,
    step: v.string(),
    // it is JSON, as all of the line; its step looks at it
    args: v.custom<Json>((value) => value !== undefined),
  }),
  v.object({ type: v.literal("applied"), n }),
  v.object({ type: v.literal("reverted"), n }),
]);

export function readRecord(line: string): Read<JournalRecord> {
  return readJson(line, record, { maxChars: MAX_CHARS });
}
