import { KtctlError, UsageError } from "../../core/errors.ts";
import { connectLocal } from "../../link/client/connect_local.ts";
import type { ExposedPort } from "./expose.ts";

/** Throws `UsageError` (`LOCAL_PORT_CLOSED`) where nothing listens on one of the local ports. */
export async function refuseClosedPorts(
  exposed: readonly ExposedPort[],
  signal: AbortSignal,
): Promise<void> {
  for (const { local } of exposed) {
    try {
      (await connectLocal(local, { signal })).destroy();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof KtctlError)) throw error;
      throw new UsageError(
        "LOCAL_PORT_CLOSED",
        `Nothing listens on local port ${local}`,
        {
          hint: "Start your program first.",
          cause: error,
        },
      );
    }
  }
}
