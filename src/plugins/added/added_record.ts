/** What is kept beside the copy of an added plugin, so that its code need not run to be known of. */
import * as v from "valibot";
import { type Read, readJson } from "../../core/read_json.ts";
import { ROUTING_VERBS, type RoutingVerb } from "../routing_verb.ts";
import { isPluginName } from "../validate_plugin.ts";

/** Some hundred flags and steps. */
export const MAX_RECORD_CHARS = 64 * 1024;
const MAX_ENTRIES = 100;

/** The media types that Deno takes a module for. */
export type ModuleType = "application/typescript" | "text/javascript";

export interface AddedRecord {
  readonly version: 1;
  readonly kind: "routing" | "transport";
  readonly name: string;
  readonly aliases: string[];
  readonly summary: string;
  /** Of a routing plugin; a transport has none. */
  readonly verbs: RoutingVerb[];
  readonly flags: {
    readonly name: string;
    readonly value?: string;
    readonly isValueOptional?: boolean;
    readonly summary: string;
  }[];
  /** Ids of its steps, as a journal names them. */
  readonly steps: string[];
  /** Where it was added from: a path or a URL. */
  readonly source: string;
  /** Of the code, in hexadecimal. */
  readonly sha256: string;
  readonly type: ModuleType;
}

const line = (max: number) =>
  v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(max),
    v.check((text) => !text.includes("\n")),
  );
const name = v.pipe(v.string(), v.check((one) => isPluginName(one)));
const list = <T>(item: v.GenericSchema<unknown, T>) =>
  v.pipe(v.array(item), v.maxLength(MAX_ENTRIES));

const flag = v.object({
  name: v.pipe(v.string(), v.regex(/^[a-z][a-zA-Z0-9]{1,39}$/)),
  value: v.exactOptional(v.pipe(v.string(), v.regex(/^[^<>[\]\s]{1,40}$/))),
  isValueOptional: v.exactOptional(v.boolean()),
  summary: line(200),
});

const record: v.GenericSchema<unknown, AddedRecord> = v.object({
  version: v.literal(1),
  kind: v.picklist(["routing", "transport"]),
  name,
  aliases: list(name),
  summary: line(200),
  verbs: list(v.picklist(ROUTING_VERBS)),
  flags: list(flag),
  steps: list(line(200)),
  source: line(4096),
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  type: v.picklist(["application/typescript", "text/javascript"]),
});

export function readAddedRecord(text: string): Read<AddedRecord> {
  return readJson(text, record, { maxChars: MAX_RECORD_CHARS });
}
