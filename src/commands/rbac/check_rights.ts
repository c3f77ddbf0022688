import {
  isSpare,
  missingRights,
  missingRules,
} from "../../cluster/rights/missing_rules.ts";
import { type Need, neededRoles } from "../../cluster/rights/needed_roles.ts";
import {
  type ReviewedRight,
  reviewRights,
} from "../../cluster/rights/review_rights.ts";
import type { RightsRole } from "../../cluster/rights/rights_role.ts";
import { roleManifest, roleYaml } from "../../cluster/rights/role_yaml.ts";
import { counted } from "../../core/counted.ts";
import { PermissionError } from "../../core/errors.ts";
import type { Report } from "../../core/report.ts";
import type { GlobalOptions } from "../session/global_options.ts";
import type { Host } from "../session/host.ts";
import { openKube } from "../session/session.ts";

interface Reviewed {
  readonly role: RightsRole;
  readonly rights: readonly ReviewedRight[];
}

/** `RIGHTS_MISSING` where a command cannot do its work. */
export async function checkRights(
  host: Host,
  { need, options, report }: {
    need: Need;
    options: GlobalOptions & { readonly asYaml: boolean };
    report: Report;
  },
): Promise<void> {
  const { signal } = host;
  await using kube = await openKube(host, options, report);
  const reviewed = await Promise.all(
    neededRoles(need).map(async (role): Promise<Reviewed> => ({
      role,
      rights: await reviewRights(kube, role.rules, {
        everywhere: role.kind === "ClusterRole",
        signal,
      }),
    })),
  );
  if (options.asYaml) {
    tellMissing(report, reviewed, kube.namespace);
  } else {
    for (const { role, rights } of reviewed) tellTable(report, role, rights);
  }
  const all = reviewed.flatMap(({ rights }) => rights);
  const commands = need.verbs.map((verb) => `ktctl ${verb}`).join(", ");
  const missing = missingRights(all);
  if (missing.length === 0) {
    return host.conclude({
      state: "unchanged",
      reason:
        `All that ${commands} needs is there in namespace "${kube.namespace}"`,
    });
  }
  const { context, namespace } = kube;
  throw new PermissionError(
    "RIGHTS_MISSING",
    `Cannot use ${commands} in namespace "${namespace}" of context "${context}": ${
      counted(missing.length, "kind")
    } of object lack${missing.length === 1 ? "s" : ""} rights`,
    {
      details: missingRules(all),
      hint:
        "Give them to whoever grants rights: with --check --asYaml they are a Role.",
    },
  );
}

function tellTable(
  report: Report,
  { kind }: RightsRole,
  rights: readonly ReviewedRight[],
): void {
  const width = Math.max(...rights.map(({ resource }) => resource.length));
  for (const right of rights) {
    const { rule, resource, missing, names } = right;
    const isOptional = isSpare(right, rights);
    const state = missing.length === 0 ? "there" : "missing";
    const shown = state === "missing" && isOptional ? "optional" : state;
    const verbs = missing.length === 0 ? rule.verbs : missing;
    const only = names === undefined ? "" : ` [only ${names.join(", ")}]`;
    const place = kind === "ClusterRole" ? "whole cluster: " : "";
    report.event({
      event: "right",
      message: `${shown.padEnd(8)}  ${resource.padEnd(width)}  ${
        verbs.join(", ")
      }${only}  # ${place}${rule.comment}`,
      state,
      optional: isOptional,
      scope: kind === "ClusterRole" ? "cluster" : "namespace",
      group: rule.group,
      resource,
      verbs: rule.verbs,
      missing,
      ...(rule.names === undefined ? {} : { resourceNames: rule.names }),
      ...(names === undefined ? {} : { grantedNames: names }),
      purpose: rule.comment,
    });
  }
}

/** As a Role of its own: whoever applies it takes nothing back of one that is there. */
function tellMissing(
  report: Report,
  reviewed: readonly Reviewed[],
  namespace: string,
): void {
  const roles = reviewed.flatMap(({ role, rights }) => {
    const rules = rights.filter(({ missing }) => missing.length > 0)
      .map(({ rule, resource, missing }) => ({
        ...rule,
        resources: [resource],
        verbs: missing,
      }));
    if (rules.length === 0) return [];
    const comment = `What is missing: ${role.comment}`;
    return [{ ...role, name: `${role.name}-missing`, comment, rules }];
  });
  report.event({
    event: "ready",
    message: roles.length === 0 ? "Nothing is missing" : "What is missing",
    ...(roles.length > 0 && {
      output: roles.map((role) => roleYaml(role, { namespace })).join("---\n"),
    }),
    roles: roles.map((role) => roleManifest(role, { namespace })),
  });
}
