import { stat } from "node:fs/promises";
import { denoBundle } from "../../core/deno_bundle.ts";
import { UnsupportedError } from "../../core/errors.ts";

/** A ConfigMap holds 1 MiB; its configuration and the object's own fields need room as well. */
const MAX_BYTES = 1_000_000;

/**
 * Bundles a program that runs in the Shadow Pod into one file.
 *
 * @param source A path below the sources' root.
 * @throws {UnsupportedError} `BUNDLE_FAILED` or `AGENT_BUNDLE_TOO_LARGE`.
 */
export async function buildPodProgram(
  source: string,
  outputFile: string,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  await denoBundle(source, outputFile, options);
  const { size } = await stat(outputFile);
  if (size >= MAX_BYTES) {
    throw new UnsupportedError(
      "AGENT_BUNDLE_TOO_LARGE",
      `The bundle of ${source} has "${size}" bytes, but a ConfigMap has room for "${MAX_BYTES}"`,
    );
  }
}
