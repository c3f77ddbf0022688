import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { succeeded, type TestNamespace } from "./cluster.ts";
import type { Laptop } from "./laptop.ts";

function fileOf(role: string): string {
  return fileURLToPath(
    new URL(`../../docs/rbac/${role}.yaml`, import.meta.url),
  );
}

/** The rights in Roles, each as `patch pods`. */
export function rightsIn(roles: readonly PrintedRole[]): string[] {
  return roles.flatMap(({ rules }) => rules).flatMap((
    { resources, verbs },
  ) => resources.flatMap((one) => verbs.map((verb) => `${verb} ${one}`)));
}

/** What `ktctl rbac` prints, as objects of the API. */
export interface PrintedRole {
  readonly kind: "Role" | "ClusterRole";
  readonly metadata: { readonly name: string };
  readonly rules: readonly {
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

/** The Roles that `ktctl rbac` prints. */
export async function printedRoles(
  laptop: Laptop,
  args: readonly string[],
): Promise<PrintedRole[]> {
  const { code, events, stdout } = await laptop.run(["rbac", ...args]);
  assert.equal(code, 0, stdout);
  return events.find(({ event }) => event === "ready")!["roles"];
}

/** Gives Roles of the namespace to one of its accounts. */
export async function grantRoles(
  namespace: TestNamespace,
  { account, roles }: { account: string; roles: readonly PrintedRole[] },
): Promise<void> {
  for (const role of roles) {
    await namespace.apply(JSON.stringify(role));
    await bind(namespace, { account, role: role.metadata.name });
  }
}

/** Gives a Role of docs/rbac to an account of the namespace. */
export async function grant(
  namespace: TestNamespace,
  { account, role }: { account: string; role: string },
): Promise<void> {
  succeeded(
    await namespace.kubectl(["apply", "--validate=false", "-f", fileOf(role)]),
  );
  await bind(namespace, { account, role: `ktctl-${role}` });
}

async function bind(
  namespace: TestNamespace,
  { account, role }: { account: string; role: string },
): Promise<void> {
  const apiGroup = "rbac.authorization.k8s.io";
  await namespace.request("POST", `/apis/${apiGroup}/v1/rolebindings`, {
    metadata: { name: `${account}-${role}` },
    roleRef: { apiGroup, kind: "Role", name: role },
    subjects: [{
      kind: "ServiceAccount",
      name: account,
      namespace: namespace.name,
    }],
  });
}
