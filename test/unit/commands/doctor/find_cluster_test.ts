// What doctor says of a cluster that its user cannot sign in to.
import assert from "node:assert/strict";
import { findCluster } from "../../../../src/commands/doctor/find_cluster.ts";
import { TempFolder } from "../../kube/temp_folder.ts";

Deno.test({
  name: "a sign-in that does not end is told as such, with what to do",
  ignore: Deno.build.os === "windows",
  // the plugin goes on, as its user may still be signing in
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await using folder = await TempFolder.make();
    const exec = {
      apiVersion: "client.authentication.k8s.io/v1",
      ...{ command: "sleep", args: ["2"], interactiveMode: "Never" },
    };
    const kubeconfig = await folder.write("config", {
      "current-context": "a",
      clusters: [{ name: "a", cluster: { server: "https://127.0.0.1:1" } }],
      contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
      users: [{ name: "a", user: { exec } }],
    });
    const { signal } = new AbortController();
    const found = await findCluster(
      { signal } as never,
      { kubeconfig } as never,
      { warn() {} } as never,
      { signInMs: 300 },
    );
    assert("fault" in found);
    assert.equal(found.fault.state, "bad");
    assert.match(found.fault.message, /credential plugin.*within 0\.3 s/);
    assert.deepEqual(found.fault.facts, { code: "SIGN_IN_TIMEOUT" });
    assert.match((found.fault.cause as { hint: string }).hint, /kubectl/);
  },
});
