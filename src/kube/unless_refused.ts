import { Cancelled, KtctlError } from "../core/errors.ts";

/**
 * Whether the server answered, but not with what was asked for: no right, no such API, refused by a
 * policy. Then there is another way to ask; else there is none.
 */
export function isRefusal(error: unknown): error is KtctlError {
  return error instanceof KtctlError && !(error instanceof Cancelled) &&
    error.code !== "UNAUTHORISED" && error.code !== "CLUSTER_UNREACHABLE";
}

/** What `work` gives, or `undefined` where the server refuses it. */
export async function unlessRefused<T>(
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isRefusal(error)) return undefined;
    throw error;
  }
}
