/** The least Roles for some commands. */
import type { RightRule, Use } from "./right_rule.ts";
import type { RightsRole } from "./rights_role.ts";
import { type RightsVerb, VERB_ROLES } from "./verb_roles.ts";

export interface Need {
  readonly verbs: readonly RightsVerb[];
  /** What the commands are used with; `"all"` for whatever they can be used with. */
  readonly uses: ReadonlySet<Use> | "all";
  /** Without what can be left out. @default false */
  readonly least?: boolean;
}

/** One Role, and a ClusterRole where there is something to grant in it. A rule is in none of them twice. */
export function neededRoles(need: Need): RightsRole[] {
  const { verbs } = need;
  const name = `ktctl-${verbs.join("-")}`;
  const commands = verbs.map((verb) => `\`ktctl ${verb}\``);
  const all = commands.length === 1
    ? commands[0]
    : `${commands.slice(0, -1).join(", ")} and ${commands.at(-1)}`;
  const needs = commands.length === 1 ? "needs in its" : "need in their";
  return [
    {
      file: name,
      kind: "Role" as const,
      name,
      comment: `What ${all} ${needs} namespace.`,
      rules: neededRules(need, "Role"),
    },
    {
      file: name,
      kind: "ClusterRole" as const,
      name,
      comment: `Optional, beside it: with this ${all} ${
        needs.split(" ")[0] === "needs" ? "guesses" : "guess"
      } nothing of the cluster. Bind it with a ClusterRoleBinding.`,
      rules: neededRules(need, "ClusterRole"),
    },
  ].filter(({ rules }) => rules.length > 0);
}

/** The rules that commands need in their namespace, or in the whole cluster. */
export function neededRules(
  { verbs, uses, least = false }: Need,
  kind: RightsRole["kind"],
): RightRule[] {
  const merged: Merged[] = [];
  for (const verb of verbs) {
    const roles: readonly RightsRole[] = VERB_ROLES[verb];
    const own = roles.filter((role) => role.kind === kind)
      .flatMap((role) => role.rules).filter((rule) => isUsed(rule, uses));
    const best = own.find(({ way }) => way !== undefined);
    for (const rule of own) {
      const isSpare = rule.optional ||
        (rule.way !== undefined && rule !== best);
      if (least && isSpare) continue;
      addRule(merged, { rule, purposes: new Map([[rule.comment, [verb]]]) });
    }
  }
  return merged.map(({ rule, purposes }) => ({
    ...rule,
    comment: [...purposes].map(([text, of]) =>
      verbs.length === 1 ? text : `${of.join(", ")}: ${text}`
    ).join("; "),
  }));
}

/** One rule for what several commands need, and what each of them needs it for. */
interface Merged {
  readonly rule: RightRule;
  readonly purposes: ReadonlyMap<string, readonly RightsVerb[]>;
}

function isUsed(
  { onlyFor, notFor }: RightRule,
  uses: ReadonlySet<Use> | "all",
): boolean {
  if (uses === "all") return true;
  const isAmong = (some: readonly Use[]) => some.some((one) => uses.has(one));
  return (onlyFor === undefined || isAmong(onlyFor)) &&
    (notFor === undefined || !isAmong(notFor));
}

/** A rule that another one grants already is no rule of its own; what it is for is told there. */
function addRule(merged: Merged[], added: Merged): void {
  const wider = merged.findIndex(({ rule }) => includes(rule, added.rule));
  if (wider !== -1) {
    merged[wider] = joined(merged[wider]!, added);
    return;
  }
  const isNarrower = ({ rule }: Merged) => includes(added.rule, rule);
  const at = merged.findIndex(isNarrower);
  if (at === -1) {
    merged.push(added);
    return;
  }
  merged[at] = merged.filter(isNarrower).reduce(joined, added);
  const absorbed = merged.filter((one, index) => index > at && isNarrower(one));
  for (const one of absorbed) merged.splice(merged.indexOf(one), 1);
}

function includes(wide: RightRule, narrow: RightRule): boolean {
  return wide.group === narrow.group &&
    (wide.names ?? []).join() === (narrow.names ?? []).join() &&
    narrow.resources.every((one) => wide.resources.includes(one)) &&
    narrow.verbs.every((one) => wide.verbs.includes(one));
}

/** What is needed by one of them is needed. */
function joined(wide: Merged, narrow: Merged): Merged {
  const { optional, way, ...rest } = wide.rule;
  const purposes = new Map(wide.purposes);
  for (const [text, verbs] of narrow.purposes) {
    purposes.set(text, [...new Set([...purposes.get(text) ?? [], ...verbs])]);
  }
  const rule = {
    ...rest,
    ...(optional && narrow.rule.optional && { optional }),
    ...(way !== undefined && narrow.rule.way === way && { way }),
  };
  return { rule, purposes };
}
