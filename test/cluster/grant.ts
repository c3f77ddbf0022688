import { fileURLToPath } from "node:url";
import { succeeded, type TestNamespace } from "./cluster.ts";

/** Gives a Role of docs/rbac to an account of the namespace. */
export async function grant(
  namespace: TestNamespace,
  { account, role }: { account: string; role: string },
): Promise<void> {
  const file = fileURLToPath(
    new URL(`../../docs/rbac/${role}.yaml`, import.meta.url),
  );
  succeeded(await namespace.kubectl(["apply", "-f", file]));
  succeeded(
    await namespace.kubectl([
      "create",
      "rolebinding",
      `${account}-${role}`,
      `--role=ktctl-${role}`,
      `--serviceaccount=${namespace.name}:${account}`,
    ]),
  );
}
