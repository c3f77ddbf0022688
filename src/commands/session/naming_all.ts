import { missingRules } from "../../cluster/rights/missing_rules.ts";
import { neededRules } from "../../cluster/rights/needed_roles.ts";
import { reviewRights } from "../../cluster/rights/review_rights.ts";
import type { Use } from "../../cluster/rights/right_rule.ts";
import type { RightsVerb } from "../../cluster/rights/verb_roles.ts";
import { PermissionError } from "../../core/errors.ts";
import type { KubeApi } from "../../kube/kube_api.ts";

/** What a command that failed for a right needs in all. */
export interface NeededRights {
  /** Its own, and those whose work it does as well. */
  readonly verbs: readonly RightsVerb[];
  readonly uses: readonly Use[];
  readonly signal: AbortSignal;
}

/** The error of a command that was refused one right, with all that are missing. */
export async function namingAll(
  kube: KubeApi,
  { verbs, uses, signal }: NeededRights,
  error: PermissionError,
): Promise<PermissionError> {
  const need = { verbs, uses: new Set(uses) };
  const rules = neededRules(need, "Role");
  const missing = await reviewRights(kube, rules, { signal }).then(
    missingRules,
    () => [], // it only explains
  );
  if (missing.length === 0) return error;
  const { code, message, hint, remedies } = error;
  const first = hint?.startsWith("Missing rule: ")
    ? `${hint.slice(0, hint.indexOf("`.") + 2)} `
    : "";
  return new PermissionError(code, message, {
    hint: `${first}${
      missing.length === 1 ? "No other is" : "All are named above that are"
    } missing; \`${
      rbacCommand(verbs, uses)
    }\` prints the Role with all of them.`,
    details: [...error.details, ...missing.map((rule) => `missing: ${rule}`)],
    remedies,
    cause: error,
  });
}

function rbacCommand(
  verbs: readonly RightsVerb[],
  uses: readonly Use[],
): string {
  return [
    "ktctl rbac",
    ...verbs,
    ...(uses.length > 0 ? ["--with", uses.join(",")] : []),
  ]
    .join(" ");
}
