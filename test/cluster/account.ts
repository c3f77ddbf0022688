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
  // from Kubernetes 1.24 on, no account gets a token unless asked
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/service-account-token",
    metadata: {
      name: `${name}-test-token`,
      annotations: { "kubernetes.io/service-account.name": name },
    },
  };
  succeeded(await namespace.kubectl(["create", "serviceaccount", name]));
  await namespace.apply(JSON.stringify(secret));
  let token = "";
  await eventually("the account has a token", async () => {
    const { data } = JSON.parse(
      succeeded(
        await namespace.kubectl([
          "get",
          `secret/${name}-test-token`,
          "-o",
          "json",
        ]),
      ),
    );
    token = atob(data?.token ?? "");
    // up to 1.23 the account's own Secret comes as well, which counts in a snapshot
    const account = succeeded(
      await namespace.kubectl([
        "get",
        `serviceaccount/${name}`,
        "-o",
        "jsonpath={.secrets}",
      ]),
    );
    return token !== "" && (cluster.minor >= 24 || account !== "");
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
