/** `ktctl rbac`: the rights that commands need, and which of them are there. */
import { neededRoles } from "../../cluster/rights/needed_roles.ts";
import { roleManifest, roleYaml } from "../../cluster/rights/role_yaml.ts";
import type { RightsVerb } from "../../cluster/rights/verb_roles.ts";
import { checkRights } from "./check_rights.ts";
import { parseUses } from "./parse_uses.ts";
import type { GlobalOptions } from "../session/global_options.ts";
import type { Host } from "../session/host.ts";

export interface RbacOptions {
  readonly with: string;
  readonly least: boolean;
  readonly check: boolean;
  readonly asYaml: boolean;
}

export async function rbac(
  host: Host,
  given: readonly RightsVerb[],
  options: RbacOptions & GlobalOptions,
): Promise<void> {
  const verbs = [...new Set(given)];
  const uses = parseUses(options.with, verbs);
  const report = host.report(options);
  const need = { verbs, uses, least: options.least };
  if (options.check) {
    return await checkRights(host, { need, options, report });
  }
  const { namespace } = options;
  const roles = neededRoles(need);
  report.event({
    event: "ready",
    message: `What to allow for ${
      verbs.map((verb) => `ktctl ${verb}`).join(", ")
    }`,
    output: roles.map((role) => roleYaml(role, { namespace })).join("---\n"),
    roles: roles.map((role) => roleManifest(role, { namespace })),
  });
  host.conclude({
    state: "unchanged",
    reason: `Bind it: ${bindCommands(roles, namespace).join("; ")}`,
  });
}

/** With a name to be filled in. */
function bindCommands(
  roles: ReturnType<typeof neededRoles>,
  namespace: string | undefined,
): string[] {
  const place = namespace === undefined ? "" : ` -n ${namespace}`;
  return roles.map(({ kind, name }) =>
    kind === "Role"
      ? `kubectl create rolebinding ${name}${place} --role=${name} --user=<name>`
      : `kubectl create clusterrolebinding ${name} --clusterrole=${name} --user=<name>`
  );
}
