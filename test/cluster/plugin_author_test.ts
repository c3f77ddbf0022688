// The tests of the two plugins of docs/plugin-authors.md, as their author runs them.
import assert from "node:assert/strict";
import { docExamples } from "../doc_examples.ts";
import { openTestCluster } from "./cluster.ts";
import { run, succeeded } from "./command.ts";

Deno.test("the tests of both plugins pass, in a folder of their own that knows mod.ts alone", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using examples = await docExamples();
  const before = await namespace.snapshot();
  const kubeconfig = `${examples.folder}/kubeconfig`;
  await Deno.copyFile(cluster.kubeconfig, kubeconfig);
  const context = ["config", "set-context", "--current", "--namespace"];
  succeeded(
    await run("kubectl", [
      ...["--kubeconfig", kubeconfig],
      ...context,
      namespace.name,
    ]),
  );
  const config = ["-c", examples.path("deno.json"), "--no-lock"];
  const test = ["test", "-A", "--no-check", ...config];
  const files = ["canary_test.ts", "http_proxy_test.ts"].map(examples.path);
  const result = await run(
    Deno.execPath(),
    [...test, ...files],
    { env: { KUBECONFIG: kubeconfig, NO_COLOR: "1" }, timeout: 180_000 },
  );
  assert.match(succeeded(result), /2 passed \(\d+ steps\)/);
  assert.equal(await namespace.snapshot(), before);
});
