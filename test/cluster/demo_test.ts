import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { openTestCluster, succeeded } from "./cluster.ts";
import { run } from "./command.ts";

const DEMO = fileURLToPath(new URL("../../scripts/demo.ts", import.meta.url));

Deno.test("the demo shows ktctl on a cluster that is there, with the one image that it names, and leaves nothing", async () => {
  const { kubeconfig, kubectl } = await openTestCluster();
  const { code, stdout, stderr } = await run(
    Deno.execPath(),
    ["run", "-A", "--quiet", DEMO],
    { env: { KTCTL_TEST_KUBECONFIG: kubeconfig }, timeout: 240_000 },
  );
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /All pods are of the image denoland\/deno:2\./);
  const gone = [...stdout.matchAll(/✔ namespace\/(\S+) is gone/g)]
    .map(([, name]) => name!);
  assert.equal(gone.length, 2);
  const there = succeeded(await kubectl(["get", "namespaces", "-oname"]))
    .split("\n");
  for (const name of gone) assert.ok(!there.includes(`namespace/${name}`));
});
