import { fileURLToPath } from "node:url";
import { succeeded, type TestNamespace } from "./cluster.ts";

function fileOf(role: string): string {
  return fileURLToPath(
    new URL(`../../docs/rbac/${role}.yaml`, import.meta.url),
  );
}

/**
 * What a Role grants, each as `patch pods`, but for the rules whose comment begins with when they can be
 * left out.
 */
export async function neededRights(role: string): Promise<string[]> {
  const text = await Deno.readTextFile(fileOf(role));
  const rules = text.slice(text.indexOf("rules:")).matchAll(
    /(?<comment>(?: +#.*\n)*) +- apiGroups: .*\n +resources: \[(?<resources>.*)\]\n(?: +resourceNames: .*\n)? +verbs: \[(?<verbs>.*)\]\n/g,
  );
  return [...rules].flatMap(({ groups }) => {
    const { comment = "", resources = "", verbs = "" } = groups ?? {};
    if (/^ +# (optional|only for|only where|not for)\b/.test(comment)) {
      return [];
    }
    return resources.split(", ").flatMap((resource) =>
      verbs.split(", ").map((verb) => `${verb} ${resource}`)
    );
  });
}

/** Gives a Role of docs/rbac to an account of the namespace. */
export async function grant(
  namespace: TestNamespace,
  { account, role }: { account: string; role: string },
): Promise<void> {
  succeeded(await namespace.kubectl(["apply", "-f", fileOf(role)]));
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
