// A user with few rights: a ServiceAccount, and a kubeconfig with its token.
import { join } from "node:path";
import { succeeded, type TestCluster, type TestNamespace } from "./cluster.ts";
import { eventually } from "./laptop.ts";

/** Makes the account; returns a kubeconfig file, in `dir`, of a user who is nobody else. */
export async function makeAccount(
  cluster: TestCluster,
  namespace: TestNamespace,
  { name, dir }: { name: string; dir: string },
): Promise<string> {
  const secretName = `${name}-test-token`;
  // from Kubernetes 1.24 on, no account gets a token unless asked
  const secret = {
    type: "kubernetes.io/service-account-token",
    metadata: {
      name: secretName,
      annotations: { "kubernetes.io/service-account.name": name },
    },
  };
  await namespace.request("POST", "serviceaccounts", { metadata: { name } });
  await namespace.request("POST", "secrets", secret);
  let token = "";
  await eventually("the account has a token", async () => {
    const { data } = await namespace.request("GET", `secrets/${secretName}`);
    token = atob(data?.token ?? "");
    // up to 1.23 the account's own Secret comes as well, which counts in a snapshot
    const { secrets } = await namespace.request(
      "GET",
      `serviceaccounts/${name}`,
    );
    return token !== "" && (cluster.minor >= 24 || secrets !== undefined);
  });
  const admin = JSON.parse(
    succeeded(
      await cluster.kubectl([
        "config",
        "view",
        "--minify",
        "--raw",
        "--flatten",
        "-o",
        "json",
      ]),
    ),
  );
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    clusters: [{ name: "test", cluster: admin.clusters[0].cluster }],
    contexts: [{
      name,
      context: { cluster: "test", user: name, namespace: namespace.name },
    }],
    users: [{ name, user: { token } }],
  };
  const file = join(dir, `${name}.kubeconfig`);
  await Deno.writeTextFile(file, JSON.stringify(config));
  return file;
}
