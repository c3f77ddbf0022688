/** What a plugin says no with: `refuse()` of its context, or an error of its own copy of ktctl's classes. */
import * as v from "valibot";
import { CANCELLED_KIND, ERROR_CLASSES } from "../core/error_classes.ts";
import { Cancelled, ERROR_KIND, KtctlError } from "../core/errors.ts";
import type { Refuse } from "./plugin.ts";

const MAX_TEXT = 2_000;
const MAX_DETAILS = 50;
const CODE = /^[A-Z][A-Z0-9_]{0,63}$/;

/** A stranger's text, as long as a message may be. */
export function clipped(text: unknown, length: number = MAX_TEXT): string {
  const whole = String(text);
  return whole.length <= length ? whole : `${whole.slice(0, length - 1)}…`;
}

/** The name of a condition, or `fallback` where it is none. */
export function codeOr(fallback: string, code: unknown): string {
  return typeof code === "string" && CODE.test(code) ? code : fallback;
}

const text = v.pipe(v.string(), v.transform((one) => clipped(one)));

const errorSchema = v.object({
  kind: v.picklist([...ERROR_CLASSES.keys(), CANCELLED_KIND]),
  code: v.unknown(),
  message: text,
  hint: v.optional(text),
  details: v.optional(
    v.pipe(
      v.array(v.string()),
      v.transform((lines) => lines.slice(0, MAX_DETAILS)),
      v.mapItems((line) => clipped(line)),
    ),
    [],
  ),
});

/** Always throws: `throw refuse(…)` and `refuse(…)` do the same. */
export const refuse: Refuse = (code, message, options = {}) => {
  const { kind = "unsupported", hint, details } = options;
  throw toError({ kind, code, message: String(message), hint, details }) ??
    toError({ kind: "unsupported", code, message: String(message) });
};

/**
 * What was thrown as an error of ours, or undefined where it is none. It is taken by its shape, as a
 * plugin may have brought a copy of the classes along; the exit code is that of our class.
 */
export function readRefusal(thrown: unknown): KtctlError | undefined {
  try {
    if (!(thrown instanceof KtctlError)) return undefined;
    if (isOurs(thrown)) return thrown;
    const { code, message, hint, details } = thrown;
    const kind = thrown[ERROR_KIND];
    return toError({ kind, code, message, hint, details }, thrown);
  } catch {
    return undefined; // a property of it throws
  }
}

/** Made by ktctl itself, such as by a call of `kube`: its identity matters to others. */
function isOurs(error: KtctlError): boolean {
  const { constructor } = error;
  return [Cancelled, ...ERROR_CLASSES.values()].some((one) =>
    one === constructor
  );
}

function toError(
  fields: Record<string, unknown>,
  cause?: unknown,
): KtctlError | undefined {
  const { success, output } = v.safeParse(errorSchema, fields);
  if (!success) return undefined;
  const { kind, code, message, hint, details } = output;
  const Class = ERROR_CLASSES.get(kind);
  if (Class === undefined) return new Cancelled(message);
  return new Class(codeOr("PLUGIN_REFUSED", code), message, {
    details,
    ...(hint !== undefined && { hint }),
    ...(cause !== undefined && { cause }),
  });
}
