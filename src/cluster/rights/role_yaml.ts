import { stringify } from "yaml";
import type { KubeObject } from "../../kube/kube_api.ts";
import type { RightRule } from "./right_rule.ts";
import type { RightsRole } from "./rights_role.ts";

const WIDTH = 100;

export interface RoleOptions {
  /** @default none, as in docs/rbac */
  readonly namespace?: string | undefined;
}

/** As a manifest for `kubectl apply`, with what each rule is for. Ends with a newline. */
export function roleYaml(role: RightsRole, options: RoleOptions = {}): string {
  const { kind, name, comment, rules } = role;
  const namespace = kind === "Role" ? options.namespace : undefined;
  return [
    ...commentLines(comment, ""),
    "apiVersion: rbac.authorization.k8s.io/v1",
    `kind: ${kind}`,
    "metadata:",
    `  name: ${scalar(name)}`,
    ...(namespace === undefined ? [] : [`  namespace: ${scalar(namespace)}`]),
    "rules:",
    ...rules.flatMap(ruleLines),
    "",
  ].join("\n");
}

/** The same as an object of the API. */
export function roleManifest(
  { kind, name, rules }: RightsRole,
  options: RoleOptions = {},
): KubeObject {
  const namespace = kind === "Role" ? options.namespace : undefined;
  return {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    rules: rules.map(({ group, resources, names, verbs }) => ({
      apiGroups: [group],
      resources,
      ...(names === undefined ? {} : { resourceNames: names }),
      verbs,
    })),
  };
}

function ruleLines(
  { group, resources, names, verbs, comment }: RightRule,
): string[] {
  return [
    ...commentLines(comment, "  "),
    `  - apiGroups: [${group === "" ? '""' : group}]`,
    `    resources: [${resources.join(", ")}]`,
    ...(names === undefined
      ? []
      : [`    resourceNames: [${names.join(", ")}]`]),
    `    verbs: [${verbs.join(", ")}]`,
  ];
}

function commentLines(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

/** A namespace may be called `123` or `null`. */
function scalar(text: string): string {
  return stringify(text).trimEnd();
}
