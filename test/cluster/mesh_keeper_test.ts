// Who may have the cluster keep a router, and who takes it back.
import assert from "node:assert/strict";
import { makeAccount } from "./account.ts";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import { grant } from "./grant.ts";
import {
  assertNoTrace,
  eventually,
  eventuallyByRuns,
  Laptop,
  reaches,
} from "./laptop.ts";

interface Rule {
  readonly resources: readonly string[];
}

/** A Role of docs/rbac for the account `dev`, without the rule about ReplicaSets. */
async function grantWithoutReplicaSets(
  namespace: TestNamespace,
  role: string,
): Promise<void> {
  await grant(namespace, { account: "dev", role });
  const get = ["get", "role", `ktctl-${role}`, "-o", "json"];
  const whole = JSON.parse(succeeded(await namespace.kubectl(get)));
  const rules = whole.rules.filter(({ resources }: Rule) =>
    !resources.includes("replicasets")
  );
  assert.equal(rules.length, whole.rules.length - 1);
  await namespace.apply(JSON.stringify({ ...whole, rules }));
}

async function devKubeconfig(
  namespace: TestNamespace,
  laptop: Laptop,
): Promise<string> {
  const cluster = await openTestCluster();
  const dir = laptop.stateHome;
  return await makeAccount(cluster, namespace, { name: "dev", dir });
}

function meshArgs(laptop: Laptop, mark: string): string[] {
  const expose = ["--expose", `${laptop.demo.port}:80`];
  return ["mesh", "web", ...expose, "--versionMark", mark];
}

const KEEPERS = ["get", "replicasets", "-l", "control-by=kt", "-o", "name"];

Deno.test("who may not make ReplicaSets has a router that nobody keeps, and is told so", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  const kubeconfig = await devKubeconfig(namespace, laptop);
  await grantWithoutReplicaSets(namespace, "mesh");
  const before = await namespace.snapshot();
  await using mesh = laptop.start(meshArgs(laptop, "dev"), { kubeconfig });
  const told = mesh.next(({ code }) => code === "ROUTER_NOT_KEPT");
  await mesh.ready();
  const { message } = await told;
  assert.match(message, /does not come back by itself.*replicasets/);
  assert.equal(succeeded(await namespace.kubectl(KEEPERS)), "");
  // as long as somebody is there, they make it anew
  const remove = ["delete", "pod", "web-kt-router", "--force"];
  succeeded(await namespace.kubectl([...remove, "--grace-period=0"]));
  await eventually("it comes here again", async () => {
    const { stdout } = await client.curl("-H", "version: dev", "http://web/");
    return /laptop/.test(stdout);
  }, 30_000);
  const { code, events } = await mesh.stop();
  assert.equal(code, 0);
  const words = events.filter(({ code }) => code === "ROUTER_NOT_KEPT");
  assert.equal(words.length, 1);
  await assertNoTrace({ namespace, laptop, before });
});

Deno.test("who may not make ReplicaSets, and joins a router that a teammate has kept, is told nothing; last to leave, they take it back", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using alice = await Laptop.open(cluster, namespace, "alice");
  await using laptop = await Laptop.open(cluster, namespace);
  const kubeconfig = await devKubeconfig(namespace, laptop);
  await grantWithoutReplicaSets(namespace, "mesh");
  const before = await namespace.snapshot();
  await using first = alice.start(meshArgs(alice, "alice"));
  await first.ready();
  assert.equal(
    succeeded(await namespace.kubectl(KEEPERS)),
    "replicaset.apps/web-kt-router\n",
  );
  await using second = laptop.start(meshArgs(laptop, "dev"), { kubeconfig });
  await second.ready();
  assert.equal((await first.stop()).code, 0);
  const { code, stdout } = await second.stop();
  assert.equal(code, 0);
  assert.doesNotMatch(stdout, /ROUTER_NOT_KEPT/);
  await assertNoTrace({ namespace, laptop, before });
  await eventually("its pods are gone as well", async () => {
    const get = ["get", "pods,replicasets", "-l", "kt-role", "-o", "name"];
    return succeeded(await namespace.kubectl(get)) === "";
  }, 60_000);
});

for (const args of [["clean", "--thresholdInMinus", "0"], ["recover", "web"]]) {
  Deno.test(`${args[0]} by who may not delete ReplicaSets takes a kept router back`, async () => {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    const client = await namespace.client();
    await using dead = await Laptop.open(cluster, namespace, "dead");
    await using laptop = await Laptop.open(cluster, namespace);
    const kubeconfig = await devKubeconfig(namespace, laptop);
    await grantWithoutReplicaSets(namespace, "clean");
    const before = await namespace.snapshot();
    await using mesh = dead.start(meshArgs(dead, "dead"));
    await mesh.ready();
    await mesh.stop("SIGKILL");
    await eventuallyByRuns("the agent sees that nobody is there", async () => {
      const { code, events, stdout } = await laptop.run(args, { kubeconfig });
      if (code === 7) return false;
      assert.equal(code, 0, stdout);
      return events.some(({ event }) => event === "action");
    });
    await reaches(client, { name: "web-" });
    assert.equal(await namespace.snapshot(), before);
    await eventually("its pods are gone as well", async () => {
      const get = ["get", "pods,replicasets", "-l", "kt-role", "-o", "name"];
      return succeeded(await namespace.kubectl(get)) === "";
    }, 60_000);
  });
}
