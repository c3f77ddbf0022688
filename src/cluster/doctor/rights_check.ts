import type { Finding } from "../../core/doctor/doctor_check.ts";
import { missingRights, missingRules } from "../rights/missing_rules.ts";
import { neededRules } from "../rights/needed_roles.ts";
import { reviewRights } from "../rights/review_rights.ts";
import { RIGHTS_VERBS, type RightsVerb } from "../rights/verb_roles.ts";
import type { ClusterCheck } from "./cluster_subject.ts";

/** Which commands this user may use, as they are without flags. */
export const RIGHTS_CHECK: ClusterCheck = {
  name: "rights",
  title: "Rights",
  async look({ kube }, signal) {
    const rulesOf = RIGHTS_VERBS.map((verb) => ({
      verb,
      rules: neededRules({ verbs: [verb], uses: new Set() }, "Role"),
    }));
    const all = await reviewRights(
      kube,
      rulesOf.flatMap(({ rules }) => rules),
      {
        signal,
      },
    );
    const ofVerbs = rulesOf.map(({ verb, rules }) => ({
      verb,
      rights: all.filter(({ rule }) => rules.includes(rule)),
    }));
    const enough = ofVerbs.filter(({ rights }) =>
      missingRights(rights).length === 0
    ).map(({ verb }) => verb);
    const lacking = ofVerbs.filter(({ verb }) => !enough.includes(verb));
    const findings: Finding[] = lacking.map(({ verb, rights }) => ({
      state: enough.length === 0 ? "bad" : "warning",
      message: `not enough for ktctl ${verb}: ${
        missingRights(rights).map(({ resource, missing }) =>
          `${missing.join(", ")} ${resource}`
        ).join("; ")
      }`,
      advice:
        `If you need it, \`ktctl rbac ${verb} --check --asYaml\` prints what to ask for.`,
      facts: { command: verb, missing: missingRules(rights) },
    }));
    return enough.length === 0 ? findings : [ofEnough(enough), ...findings];
  },
};

function ofEnough(commands: readonly RightsVerb[]): Finding {
  return {
    state: "good",
    message: `enough for ktctl ${commands.join(", ")}`,
    facts: { commands: [...commands] },
  };
}
