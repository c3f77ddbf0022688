/**
 * The plugin that a session works with, as its Shadow Pod tells: nobody else knows how to take its steps
 * back, so whoever finds the session dead has to be told which one to name.
 */
import * as v from "valibot";
import { readJson } from "../../core/read_json.ts";
import { annotation, PLUGIN } from "../../kube/annotations.ts";
import type { KubeObject } from "../../kube/kube_api.ts";

export interface PluginRecord {
  readonly name: string;
  /** A URL, or a file's name: a path says nothing to others. */
  readonly source: string;
  /** Ids of its steps. */
  readonly steps: readonly string[];
  /** Commands that take by hand back what it changed, newest first. */
  readonly undo: readonly string[];
}

const MAX_COMMANDS = 20;
const MAX_COMMAND = 1_000;

/** What a terminal does not show as it is: a command must be read before it is run. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu;

const text = (max: number) =>
  v.pipe(
    v.string(),
    v.maxLength(max),
    v.check((value) => value.search(UNSEEN) === -1),
  );

const RECORD = v.object({
  name: v.pipe(text(100), v.minLength(1)),
  source: text(500),
  steps: v.pipe(v.array(text(100)), v.maxLength(100)),
  undo: v.pipe(v.array(text(MAX_COMMAND)), v.maxLength(MAX_COMMANDS)),
});

const MAX_CHARS = 64 * 1024;

/** Undefined where the object names no plugin, or nothing that a ktctl wrote. */
export function readPluginRecord(object: KubeObject): PluginRecord | undefined {
  const read = readJson(annotation(object, PLUGIN), RECORD, {
    maxChars: MAX_CHARS,
  });
  return read.reason === undefined ? read.value : undefined;
}

/** As an annotation has it, whatever the plugin calls things. */
export function pluginRecordText(record: PluginRecord): string {
  const { name, source, steps, undo } = record;
  return JSON.stringify({
    name,
    source: plain(publicSource(source)).slice(0, 500),
    steps: steps.slice(0, 100).map((id) => id.slice(0, 100)),
    undo: undo.slice(0, MAX_COMMANDS).map((command) =>
      plain(command).slice(0, MAX_COMMAND)
    ),
  });
}

function plain(value: string): string {
  return value.toWellFormed().replaceAll(UNSEEN, " ");
}

/** Whoever may read the Pod reads it: without a password, or a token in the query. */
function publicSource(source: string): string {
  const url = URL.parse(source);
  if (url?.protocol === "npm:") return source;
  if (url?.protocol !== "https:" && url?.protocol !== "http:") {
    return source.split(/[\\/]/).at(-1) ?? "";
  }
  url.username = url.password = url.search = "";
  return url.href;
}
