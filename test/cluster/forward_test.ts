// A local port that leads into the cluster, without root.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { makeAccount } from "./account.ts";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import { run } from "./command.ts";
import type { KtctlProcess } from "./ktctl_process.ts";
import { assertNoTrace, eventually, Laptop } from "./laptop.ts";

async function answerAt(port: number): Promise<string> {
  const { stdout } = await run("curl", [
    "-s",
    "-m",
    "5",
    `http://127.0.0.1:${port}/`,
  ]);
  return /^demo pod=(\S+)\n$/.exec(stdout)?.[1] ?? "none";
}

async function localPort(forward: KtctlProcess): Promise<number> {
  return (await forward.ready()).local;
}

async function clusterIp(namespace: TestNamespace): Promise<string> {
  const get = ["get", "svc/web", "-o", "jsonpath={.spec.clusterIP}"];
  return succeeded(await namespace.kubectl(get));
}

async function deletePod(namespace: TestNamespace, pod: string): Promise<void> {
  const force = ["--force", "--grace-period=0"];
  succeeded(await namespace.kubectl(["delete", "pod", pod, ...force]));
}

for (const target of ["web", "svc/web", "deploy/web"]) {
  Deno.test(`forward ${target} leads to a ready pod, to another when it goes, and leaves nothing`, async () => {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    await using laptop = await Laptop.open(cluster, namespace);
    const before = await namespace.snapshot();
    const port = target.startsWith("deploy/") ? ":8080" : ":80";
    await using forward = laptop.start(["forward", target, port]);
    const local = await localPort(forward);
    const first = await answerAt(local);
    assert.match(first, /^web-/);
    await deletePod(namespace, first);
    const ms = await eventually("another pod answers", async () => {
      const answer = await answerAt(local);
      return answer.startsWith("web-") && answer !== first;
    }, 20_000);
    console.log(`another pod answers after ${ms} ms`);
    assert.equal((await forward.stop()).code, 0);
    assert.equal(await answerAt(local), "none");
    const rollout = ["rollout", "status", "deployment/web", "--timeout=60s"];
    succeeded(await namespace.kubectl(rollout));
    await assertNoTrace({ namespace, laptop, before });
  });
}

Deno.test("forward host:port reaches an address that only the cluster reaches, again after the pod was deleted", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  for (const host of [await clusterIp(namespace), "web"]) {
    await using forward = laptop.start(["forward", `${host}:80`, "0"]);
    const local = await localPort(forward);
    for (let i = 0; i < 5; i++) assert.match(await answerAt(local), /^web-/);
    const up = forward.linkUp();
    const get = ["get", "pods", "-l", "kt-role=shadow-connect", "-o", "name"];
    const pod = succeeded(await namespace.kubectl(get)).trim();
    await deletePod(namespace, pod.replace("pod/", ""));
    await up;
    assert.match(await answerAt(local), /^web-/);
    assert.equal((await forward.stop()).code, 0);
    await assertNoTrace({ namespace, laptop, before });
  }
});

Deno.test("forward needs no more than docs/rbac/forward", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  const dir = laptop.stateHome;
  const kubeconfig = await makeAccount(cluster, namespace, {
    name: "dev",
    dir,
  });
  const file = fileURLToPath(
    new URL("../../docs/rbac/forward.yaml", import.meta.url),
  );
  succeeded(await namespace.kubectl(["apply", "-f", file]));
  succeeded(
    await namespace.kubectl([
      "create",
      "rolebinding",
      "dev",
      "--role=ktctl-forward",
      `--serviceaccount=${namespace.name}:dev`,
    ]),
  );
  const before = await namespace.snapshot();
  for (
    const args of [["web", ":80"], ["deploy/web", ":8080"], ["web:80", "0"]]
  ) {
    await using forward = laptop.start(["forward", ...args], { kubeconfig });
    assert.match(await answerAt(await localPort(forward)), /^web-/);
    const warnings = forward.events.filter(({ event }) => event === "warning");
    assert.deepEqual(warnings, []);
    assert.equal((await forward.stop()).code, 0);
    await assertNoTrace({ namespace, laptop, before });
  }
});

Deno.test("forward: bad input is refused before anything is changed", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const taken = String(laptop.demo.port);
  const cases = [
    { args: ["wbe", "80"], exit: 5, says: /Did you mean "web"/ },
    { args: ["web", "81"], exit: 2, says: /81.*80/ },
    { args: ["web", "80x"], exit: 2, says: /80x/ },
    { args: ["web", `${taken}:80`], exit: 7, says: new RegExp(taken) },
    { args: ["pod/nowhere", "80"], exit: 5, says: /nowhere/ },
  ];
  for (const { args, exit, says } of cases) {
    const { code, error, stdout } = await laptop.run(["forward", ...args]);
    assert.equal(code, exit, stdout);
    assert.match(`${error?.["message"]} ${error?.["hint"]}`, says);
  }
  await assertNoTrace({ namespace, laptop, before });
});
