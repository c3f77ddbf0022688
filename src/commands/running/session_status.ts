/** What a running session tells of itself: the process that answers is the user's own, its version may be another. */
import * as v from "valibot";
import { type Read, readJson } from "../../core/read_json.ts";

export interface SessionStatus {
  readonly state: "starting" | "ready" | "closing";
  /** To the Shadow Pod. None before it is ready, and where a port-forward does without. */
  readonly link: {
    readonly state: "none" | "up" | "down";
    /** ISO 8601: when it came about, or the last sign of life of one that is down. */
    readonly since?: string;
  };
  /** Accepted since the start: those that came here from the cluster, or went there from here. */
  readonly connections: number;
  /** The event `ready`, once it was told, as `--output json` has it. */
  readonly ready?: Readonly<Record<string, unknown>>;
}

/** `connect` names all that it captures. */
const MAX_CHARS = 1024 * 1024;

const time = v.pipe(v.string(), v.isoTimestamp());

const schema: v.GenericSchema<unknown, SessionStatus> = v.object({
  state: v.picklist(["starting", "ready", "closing"]),
  link: v.object({
    state: v.picklist(["none", "up", "down"]),
    since: v.exactOptional(time),
  }),
  connections: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  ready: v.exactOptional(v.record(v.string(), v.unknown())),
});

export function readSessionStatus(line: string): Read<SessionStatus> {
  return readJson(line, schema, { maxChars: MAX_CHARS });
}
