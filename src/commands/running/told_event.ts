/** An event as another process of this user's told it, whose version may be another. */
import * as v from "valibot";
import { readJson } from "../../core/read_json.ts";
import type { ReportEvent } from "../../core/report.ts";

export interface ToldEvent {
  readonly event: ReportEvent;
  /** ISO 8601; of a log. */
  readonly time?: string;
}

/** `connect` names all that it captures, and a plugin may have an output. */
const MAX_CHARS = 4 * 1024 * 1024;

const text = v.string();
const ms = v.pipe(v.number(), v.minValue(0));
const time = { time: v.exactOptional(v.pipe(text, v.isoTimestamp())) };

/** Those that a session tells of. What its `ready` has beside the message is its own. */
const told = v.variant("event", [
  v.object({
    ...time,
    event: v.literal("step"),
    name: v.pipe(text, v.nonEmpty()),
    state: v.picklist(["started", "done", "failed"]),
    ms: v.optional(ms, 0),
  }),
  v.looseObject({ ...time, event: v.literal("ready"), message: text }),
  v.object({
    ...time,
    event: v.literal("link"),
    state: v.literal("down"),
    reason: text,
    since: text,
  }),
  v.object({
    ...time,
    event: v.literal("link"),
    state: v.literal("up"),
    ms,
    since: text,
  }),
  v.object({
    ...time,
    event: v.literal("captured"),
    message: text,
    cidrs: v.array(text),
  }),
  v.object({ ...time, event: v.literal("warning"), code: text, message: text }),
  v.object({
    ...time,
    event: v.literal("notice"),
    plugin: text,
    message: text,
  }),
  v.object({ ...time, event: v.literal("closing"), reason: text }),
  v.object({
    ...time,
    event: v.literal("closed"),
    state: v.picklist(["restored", "unchanged", "incomplete"]),
    reason: text,
    exitCode: v.pipe(v.number(), v.integer()),
  }),
  v.object({ ...time, event: v.literal("debug"), message: text }),
  v.object({
    ...time,
    event: v.literal("action"),
    state: v.picklist(["done", "planned"]),
    message: text,
  }),
  v.object({
    ...time,
    event: v.literal("error"),
    code: text,
    message: text,
    hint: v.exactOptional(text),
    details: v.exactOptional(v.array(text)),
  }),
]);

/** Undefined where the line is none that this version knows. */
export function readToldEvent(line: string): ToldEvent | undefined {
  const read = readJson(line, told, { maxChars: MAX_CHARS });
  if (read.reason !== undefined) return undefined;
  const { time, ...event } = read.value;
  return {
    event: event as ReportEvent,
    ...(time === undefined ? {} : { time }),
  };
}
