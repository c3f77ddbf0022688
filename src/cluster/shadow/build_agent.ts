import { stat } from "node:fs/promises";
import { denoBundle } from "../../core/deno_bundle.ts";
import { UnsupportedError } from "../../core/errors.ts";

/** A ConfigMap holds 1 MiB; its configuration and the object's own fields need room as well. */
const MAX_BYTES = 1_000_000;

/**
 * Bundles the agent into one file.
 *
 * @throws {UnsupportedError} `BUNDLE_FAILED` or `AGENT_BUNDLE_TOO_LARGE`.
 */
export async function buildAgent(
  outputFile: string,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  await denoBundle("src/link/agent/agent.ts", outputFile, options);
  const { size } = await stat(outputFile);
  if (size >= MAX_BYTES) {
    throw new UnsupportedError(
      "AGENT_BUNDLE_TOO_LARGE",
      `Agent bundle has "${size}" bytes, but a ConfigMap has room for "${MAX_BYTES}"`,
    );
  }
}
