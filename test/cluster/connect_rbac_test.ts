// The Role of docs/rbac is enough for `connect`; with the ClusterRole it has nothing to guess.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { makeAccount } from "./account.ts";
import { succeeded, type TestNamespace } from "./cluster.ts";
import { cluster, ConnectLab, obstacle } from "./connect_lab.ts";
import { grant } from "./grant.ts";

const clusterRole = fileURLToPath(
  new URL("../../docs/rbac/connect-cluster.yaml", import.meta.url),
);

/** The ClusterRole of docs/rbac under a name of the test's own, bound until it is disposed of. */
async function grantCluster(
  namespace: TestNamespace,
  account: string,
): Promise<AsyncDisposable> {
  const { kubectl } = cluster!;
  const { name } = namespace;
  const text = await Deno.readTextFile(clusterRole);
  const stdin = text.replace("name: ktctl-connect\n", `name: ${name}\n`);
  succeeded(await kubectl(["create", "-f", "-"], { stdin }));
  const to = [`--clusterrole=${name}`, `--serviceaccount=${name}:${account}`];
  succeeded(await kubectl(["create", "clusterrolebinding", name, ...to]));
  return {
    async [Symbol.asyncDispose]() {
      const both = [`clusterrolebinding/${name}`, `clusterrole/${name}`];
      succeeded(await kubectl(["delete", ...both]));
    },
  };
}

Deno.test({
  name:
    "connect needs no more than docs/rbac/connect; with connect-cluster it guesses nothing",
  ignore: obstacle !== undefined,
  async fn(t) {
    await using lab = await ConnectLab.open();
    const { laptop, namespace } = lab;
    const kubeconfig = await makeAccount(cluster!, namespace, {
      name: "dev",
      dir: laptop.folder,
    });
    await grant(namespace, { account: "dev", role: "connect" });
    const before = await namespace.snapshot();
    const [service, pod] = await Promise.all([lab.clusterIp(), lab.podIp()]);
    // where Services may have several ranges (Kubernetes 1.33), the Role alone does not tell them
    const ranges = await cluster!.kubectl(["get", "servicecidrs"]);
    const guessed = [
      "POD_RANGE_GUESSED",
      ...(ranges.code === 0 ? ["SERVICE_RANGE_PARTIAL"] : []),
    ];
    /** Connects as that user; returns the codes of its warnings. */
    const connects = async (args: string[], ...curl: string[]) => {
      await using connect = laptop.ktctl(["connect", ...args], {
        KUBECONFIG: kubeconfig,
      });
      await connect.ready();
      for (const host of ["web", service, `${pod}:8080`]) {
        assert.match(await lab.curl(`http://${host}/`, ...curl), /^demo pod=/);
      }
      const { code, events, stdout } = await connect.stop();
      assert.equal(code, 0, stdout);
      assert.equal(await laptop.snapshot(), lab.before);
      assert.equal(await namespace.snapshot(), before);
      return events.filter(({ event }) => event === "warning")
        .map(({ code }) => code).sort();
    };

    await t.step("--disableTunDevice, by the Role", async () => {
      const proxy = ["-x", "socks5h://127.0.0.1:2223"];
      assert.deepEqual(await connects(["--disableTunDevice"], ...proxy), []);
    });
    await t.step("--mode tun2socks, by the Role", async () => {
      assert.deepEqual(await connects([]), guessed);
    });
    await t.step("--dnsMode hosts, by the Role", async () => {
      const args = ["--mode", "sshuttle", "--dnsMode", "hosts"];
      assert.deepEqual(await connects(args), guessed);
    });
    await t.step("--mode sshuttle, by both", async () => {
      await using _rights = await grantCluster(namespace, "dev");
      assert.deepEqual(await connects(["--mode", "sshuttle"]), []);
    });
  },
});
