import { type Use, USES } from "../../cluster/rights/right_rule.ts";
import type { RightsRole } from "../../cluster/rights/rights_role.ts";
import {
  type RightsVerb,
  VERB_ROLES,
} from "../../cluster/rights/verb_roles.ts";
import { didYouMean } from "../../core/did_you_mean.ts";
import { UsageError } from "../../core/errors.ts";

/** Those whose rights are none but their command's own. */
const PLAIN: Readonly<Partial<Record<Use, RightsVerb>>> = {
  "mode=selector": "exchange",
  "mode=auto": "mesh",
};

/**
 * Reads `mode=scale,restoreAfter`, each as the flag or the kind of target is written.
 *
 * @throws {UsageError} `USE_UNKNOWN`, also for what none of the commands can be used with.
 */
export function parseUses(
  text: string,
  verbs: readonly RightsVerb[],
): ReadonlySet<Use> | "all" {
  const words = text.split(",").map((word) => word.trim().replace(/^--/, ""))
    .filter((word) => word !== "");
  if (words.includes("all")) return "all";
  const known = new Set(verbs.flatMap(usesOf));
  const uses = words.map((word) => {
    const found = [...known].find((use) =>
      use.toLowerCase() === word.toLowerCase().replaceAll("-", "")
    );
    if (found !== undefined) return found;
    const guess = didYouMean(word, known);
    const there = known.size === 0
      ? "There is nothing to name for it."
      : `There are: ${[...known].join(", ")}, all.`;
    throw new UsageError(
      "USE_UNKNOWN",
      `Cannot read --with "${text}": ${
        verbs.join(", ")
      } is not used with "${word}"`,
      {
        hint: `${
          guess === undefined ? "" : `Did you mean "${guess}"? `
        }${there}`,
      },
    );
  });
  return new Set(uses);
}

/** For the help: what can be named, and of which commands. */
export function usesText(): string {
  const verbs = Object.keys(VERB_ROLES) as RightsVerb[];
  const lines = (Object.keys(USES) as Use[]).map((use) => {
    const of = verbs.filter((verb) => usesOf(verb).includes(use));
    return `  ${use.padEnd(20)} ${USES[use]} (${of.join(", ")})`;
  });
  return ["What --with names:", ...lines].join("\n");
}

/** What a command may be used with. */
export function usesOf(verb: RightsVerb): Use[] {
  const roles: readonly RightsRole[] = VERB_ROLES[verb];
  const inRules = new Set(
    roles.flatMap(({ rules }) => rules).flatMap((
      { onlyFor = [], notFor = [] },
    ) => [...onlyFor, ...notFor]),
  );
  return (Object.keys(USES) as Use[]).filter((use) =>
    inRules.has(use) || PLAIN[use] === verb
  );
}
