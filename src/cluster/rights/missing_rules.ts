import { ruleText } from "../../kube/refusals/denied_rule.ts";
import type { ReviewedRight } from "./review_rights.ts";

/** Whether a command that needs the rule can do without it, as it is optional or another one serves in its place. */
export function isSpare(
  { rule }: ReviewedRight,
  all: readonly ReviewedRight[],
): boolean {
  return rule.optional === true ||
    (rule.way !== undefined &&
      all.some(({ rule: { way }, missing }) =>
        way === rule.way && missing.length === 0
      ));
}

/** What is missing and not spare. */
export function missingRights(
  all: readonly ReviewedRight[],
): ReviewedRight[] {
  return all.filter((one) => one.missing.length > 0 && !isSpare(one, all));
}

/** The rules of a Role that are missing, each as YAML on one line. Of several ways any one would do. */
export function missingRules(all: readonly ReviewedRight[]): string[] {
  const lines = missingRights(all).map(({ rule, resource, missing }) => {
    const text = ruleText({ group: rule.group, resource, verbs: missing });
    const names = rule.names === undefined
      ? ""
      : `, resourceNames: [${rule.names.map((one) => `"${one}"`).join(", ")}]`;
    const or = rule.way === undefined ? "" : " (one of these is enough)";
    return `${text}${names}${or}`;
  });
  return [...new Set(lines)];
}
