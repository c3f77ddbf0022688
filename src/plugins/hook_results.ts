/** What a plugin's hooks may return. It is a stranger's: nothing of it is used before it has this form. */
import * as v from "valibot";
import { PluginError } from "../core/errors.ts";

const MAX_TEXT = 2_000;
const MAX_OUTPUT = 1 << 20;
const MAX_DETAILS = 64 << 10;

const message = v.optional(v.pipe(v.string(), v.maxLength(MAX_TEXT)));
const output = v.optional(v.pipe(v.string(), v.maxLength(MAX_OUTPUT)));
const smallJson = (verb: string) =>
  v.optional(
    v.custom<Record<string, unknown>>(
      isSmallJson,
      `${verb} no JSON object of at most ${MAX_DETAILS} characters`,
    ),
  );
const details = smallJson("are");
const name = v.pipe(
  v.string(),
  v.maxLength(253),
  v.regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, "is no name of an object"),
);

/** By hook. Other fields are left to the plugin. */
export const HOOK_RESULTS = {
  probe: v.variant("ok", [
    v.object({ ok: v.literal(true) }),
    v.object({
      ok: v.literal(false),
      reason: v.pipe(v.string(), v.maxLength(MAX_TEXT)),
      hint: v.optional(v.pipe(v.string(), v.maxLength(MAX_TEXT))),
    }),
  ]),
  plan: v.object({
    labels: v.optional(v.record(v.string(), v.string())),
    config: v.string(),
    namePrefix: name,
    name: v.optional(name),
    fallback: v.boolean(),
    takesAll: v.optional(v.boolean()),
    ready: v.picklist(["always", "attached", "checked"]),
    found: smallJson("is"),
  }),
  prepare: v.optional(v.object({ fallbackHost: v.optional(v.string()) })),
  route: v.optional(v.object({ message, output, details })),
  isReleased: v.boolean(),
  needs: v.object({
    dns: v.picklist(["machine", "transport", "none"]),
    captures: v.boolean(),
  }),
  open: v.object({
    message,
    output,
    details,
    device: v.optional(v.string()),
    update: v.optional(v.function()),
  }),
  update: v.unknown(),
  options: v.union([
    v.object({ issues: v.optional(v.undefined()), value: v.unknown() }),
    v.object({ issues: v.array(v.object({ message: v.string() })) }),
  ]),
} as const;

export type Hook = keyof typeof HOOK_RESULTS;

/** Throws `PluginError` (`PLUGIN_RESULT_INVALID`). */
export function checkResult(plugin: string, hook: Hook, result: unknown): void {
  const { success, issues } = v.safeParse(HOOK_RESULTS[hook], result);
  if (success) return;
  throw new PluginError(
    "PLUGIN_RESULT_INVALID",
    `Plugin "${plugin}" returned from ${hook}() what cannot be used`,
    {
      details: issues.map((issue) => {
        const path = v.getDotPath(issue);
        return path === null ? issue.message : `${path}: ${issue.message}`;
      }),
      hint: "This is a defect of the plugin: tell its author.",
    },
  );
}

function isSmallJson(value: unknown): boolean {
  try {
    const text = JSON.stringify(value);
    return text.startsWith("{") && text.length <= MAX_DETAILS;
  } catch {
    return false;
  }
}
