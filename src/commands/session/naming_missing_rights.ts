import type { Use } from "../../cluster/rights/right_rule.ts";
import type { RightsVerb } from "../../cluster/rights/verb_roles.ts";
import { PermissionError } from "../../core/errors.ts";
import type { KubeApi } from "../../kube/kube_api.ts";

/** What a command that failed for a right needs in all. */
export interface NeededRights {
  readonly verb: RightsVerb;
  readonly uses: readonly Use[];
  readonly signal: AbortSignal;
}

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
