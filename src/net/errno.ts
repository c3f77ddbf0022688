import { forSystem } from "../core/system.ts";

/** Tells where `errno` of this thread is; each system has a name of its own for it. */
export const ERRNO_PLACE = {
  name: forSystem({ linux: "__errno_location", darwin: "__error" }),
  parameters: [],
  result: "pointer",
} as const;

interface Library {
  readonly symbols: { errnoPlace(): Deno.PointerValue };
}

/** Of the last call. Ask at once: everything that Deno does may change it. */
export function errno({ symbols }: Library): number {
  const place = symbols.errnoPlace();
  return place === null ? 0 : new Deno.UnsafePointerView(place).getInt32();
}
