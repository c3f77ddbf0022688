import { PermissionError } from "../../core/errors.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import type { NeededRights } from "./naming_all.ts";

/**
 * Runs a command. Where the server refuses it a right, the error names all that are missing, so that
 * nobody has to ask for one after the other. A command with all rights pays nothing for it.
 */
export async function namingMissingRights<T>(
  kube: KubeApi,
  needed: NeededRights,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isRight = error instanceof PermissionError &&
      ["RBAC_FORBIDDEN", "RESTORE_AFTER_FORBIDDEN"].includes(error.code);
    if (!isRight || needed.signal.aborted) throw error;
    // no start has to load it
    const { namingAll } = await import("./naming_all.ts");
    throw await namingAll(kube, needed, error);
  }
}
