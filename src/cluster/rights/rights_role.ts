import type { RightRule } from "./right_rule.ts";

/** A Role, or a ClusterRole, as docs/rbac has it. */
export interface RightsRole {
  /** As its file in docs/rbac, without the suffix. */
  readonly file: string;
  readonly kind: "Role" | "ClusterRole";
  /** `metadata.name`. */
  readonly name: string;
  readonly comment: string;
  readonly rules: readonly RightRule[];
}
