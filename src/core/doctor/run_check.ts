import { KtctlError, messageOf } from "../errors.ts";
import type { DoctorCheck, Finding } from "./doctor_check.ts";

/** Every check gets so long, unless it says otherwise. */
export const CHECK_MS = 10_000;

/**
 * What one check found. What it fails by is a line of its own, and so is a deadline that passes, even if
 * the check does not mind its signal.
 *
 * @throws the reason of `signal`.
 */
export async function runCheck<Subject>(
  check: DoctorCheck<Subject>,
  subject: Subject,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const { deadlineMs = CHECK_MS } = check;
  const late = Promise.withResolvers<never>();
  const own = new AbortController();
  const abort = () => {
    own.abort(signal.reason);
    late.reject(signal.reason);
  };
  signal.addEventListener("abort", abort, { once: true });
  const timer = setTimeout(() => {
    const error = new Error(`it took longer than ${deadlineMs / 1000} s`);
    late.reject(error);
    own.abort(error);
  }, deadlineMs);
  try {
    signal.throwIfAborted();
    const look = async () => await check.look(subject, own.signal);
    const found = await Promise.race([look(), late.promise]);
    return Array.isArray(found) ? found : [found as Finding];
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    return [notLookedAt(error)];
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

/** The line of what could not be looked at. */
export function notLookedAt(error: unknown): Finding {
  return {
    state: "unknown",
    message: `could not be looked at, because: ${messageOf(error)}`,
    ...(error instanceof KtctlError && { cause: error }),
  };
}
