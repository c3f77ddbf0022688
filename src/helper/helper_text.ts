import { denoBundle } from "../core/deno_bundle.ts";
import { embeddedText } from "../core/embedded_text.ts";
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
  return embeddedText(EMBEDDED_HELPER) ?? await writtenText(
    "helper.js",
    (file) => denoBundle("src/helper/run_helper.ts", file, { signal }),
  );
}
