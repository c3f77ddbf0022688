/** Who wrote what of an object, as the API server says in its `managedFields`. */
import * as v from "valibot";
import type { KubeObject } from "../../kube/kube_api.ts";

const entries = v.pipe(
  v.array(v.object({
    manager: v.optional(v.pipe(v.string(), v.maxLength(128)), ""),
    operation: v.optional(v.string(), ""),
    time: v.optional(v.string(), ""),
    fieldsV1: v.optional(v.record(v.string(), v.unknown()), {}),
  })),
  v.maxLength(1_000),
);

/** All who wrote anything of it. */
export function managersOf(object: KubeObject): Set<string> {
  return new Set(read(object).map(({ manager }) => manager));
}

/** Who wrote something, and how: `Apply` on the server's side, or `Update`. */
export interface Writer {
  readonly manager: string;
  readonly operation: string;
}

/** Those who have a say in a field, such as `["spec", "selector"]`; the last one to write first. */
export function writersOfField(
  object: KubeObject,
  path: readonly string[],
): Writer[] {
  return read(object).filter(({ fieldsV1 }) => has(fieldsV1, path))
    .sort((a, b) => b.time.localeCompare(a.time));
}

/** The names of the {@link writersOfField}. */
export function managersOfField(
  object: KubeObject,
  path: readonly string[],
): string[] {
  return writersOfField(object, path).map(({ manager }) => manager);
}

function read({ metadata }: KubeObject) {
  const { success, output } = v.safeParse(entries, metadata["managedFields"]);
  return success ? output : [];
}

function has(fields: unknown, [first, ...rest]: readonly string[]): boolean {
  if (first === undefined) return true;
  return typeof fields === "object" && fields !== null &&
    Object.hasOwn(fields, `f:${first}`) &&
    has((fields as Record<string, unknown>)[`f:${first}`], rest);
}
