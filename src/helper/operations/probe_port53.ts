import { backoff } from "../../core/backoff.ts";
import { ConflictError } from "../../core/errors.ts";
import { Port53, type Port53Options } from "./port53.ts";

/** A helper whose client has just died gives the port up as soon as it has taken the resolver back. */
const PATIENCE_MS = 3_000;

export interface ProbePort53Options extends Omit<Port53Options, "targetPort"> {
  readonly signal: AbortSignal;
  readonly patienceMs?: number;
}

/** Throws what {@link Port53.open} would. Nothing listens afterwards. */
export async function probePort53(
  { address, port, signal, patienceMs = PATIENCE_MS }: ProbePort53Options,
): Promise<void> {
  const deadlineMs = performance.now() + patienceMs;
  for (const pause of backoff({ firstMs: 50, lastMs: 500 })) {
    try {
      await using _port = await Port53.open({
        address,
        port,
        targetPort: port,
      });
      return;
    } catch (error) {
      const isTaken = error instanceof ConflictError;
      if (!isTaken || performance.now() > deadlineMs) throw error;
    }
    await pause(signal);
  }
}
