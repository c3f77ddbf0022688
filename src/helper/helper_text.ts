import { denoBundle } from "../core/deno_bundle.ts";
import { writtenText } from "../core/written_text.ts";

/** Set at the top of `dist/ktctl.js` by scripts/bundle.ts. */
export const EMBEDDED_HELPER = "__KTCTL_HELPER__";

/**
 * The root helper as one JavaScript module: the text that this program carries, or a bundle of the
 * sources.
 *
 * @throws {UnsupportedError} `BUNDLE_FAILED`.
 */
export async function helperText(signal: AbortSignal): Promise<string> {
  const embedded = (globalThis as Record<string, unknown>)[EMBEDDED_HELPER];
  if (typeof embedded === "string") return embedded;
  return await writtenText(
    "helper.js",
    (file) => denoBundle("src/helper/run_helper.ts", file, { signal }),
  );
}
