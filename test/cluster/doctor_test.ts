// ktctl doctor on a real cluster.
import assert from "node:assert/strict";
import { join } from "node:path";
import { parseTarGzip } from "nanotar";
import { makeAccount } from "./account.ts";
import { openTestCluster, succeeded } from "./cluster.ts";
import { grant } from "./grant.ts";
import { assertNoTrace, Laptop } from "./laptop.ts";
import type { KtctlResult } from "./ktctl_process.ts";

function of({ events }: KtctlResult, name: string) {
  return events.filter((one) => one.event === "check" && one["name"] === name);
}

function states(result: KtctlResult, name: string): string[] {
  return of(result, name).map(({ state }) => state);
}

Deno.test("doctor says what is good and what is not, and changes nothing", async (t) => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await using laptop = await Laptop.open(cluster, namespace);
  const dir = laptop.stateHome;
  const kubeconfig = await makeAccount(cluster, namespace, {
    name: "dev",
    dir,
  });
  await grant(namespace, { account: "dev", role: "exchange" });
  const before = await namespace.snapshot();

  await t.step(
    "to whom may do everything, all of the cluster is looked at",
    async () => {
      const result = await laptop.run(["doctor"]);
      const unknown = result.events.filter(({ event, about, state }) =>
        event === "check" && about === "cluster" && state === "unknown"
      );
      assert.deepEqual(unknown, []);
      for (
        const name of [
          ...["version", "clock", "namespace", "rights", "link-ways", "dns"],
          ...["quota", "network-policies", "namespace-leftovers"],
        ]
      ) assert.deepEqual(states(result, name), ["good"], name);
      assert.deepEqual(states(result, "admission"), ["good", "good"]);
      assert.equal(states(result, "ranges")[0], "good");
      const [ranges] = of(result, "ranges");
      assert.ok(ranges?.["facts"].services.length > 0);
      assert.equal(result.code, result.error === undefined ? 0 : 10);
    },
  );

  await t.step(
    "of whom may only exchange, it names what the other commands lack, and what it may not see",
    async () => {
      const result = await laptop.run(["doctor"], { kubeconfig });
      const [enough, ...lacking] = of(result, "rights");
      assert.ok(enough?.["facts"].commands.includes("exchange"));
      assert.ok(lacking.some(({ facts }) => facts.command === "mesh"));
      assert.deepEqual(states(result, "quota"), ["unknown"]);
      const [quota] = of(result, "quota");
      assert.match(quota?.["message"], /could not be looked at, because/);
      assert.match(quota?.["advice"], /resourcequotas/);
      assert.deepEqual(states(result, "admission"), ["good", "good"]);
    },
  );

  await t.step(
    "a quota that is full and a policy that bars are told",
    async () => {
      const objects = [{
        apiVersion: "v1",
        kind: "ResourceQuota",
        metadata: { name: "none" },
        spec: { hard: { pods: "0" } },
      }, {
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: { name: "deny" },
        spec: { podSelector: {}, policyTypes: ["Ingress"] },
      }];
      const list = JSON.stringify({
        apiVersion: "v1",
        kind: "List",
        items: objects,
      });
      await namespace.apply(list);
      await namespace.kubectl([
        ...["wait", "resourcequota/none", "--timeout=20s"],
        "--for=jsonpath={.status.hard.pods}=0",
      ]);
      const result = await laptop.run(["doctor"]);
      assert.equal(result.code, 10);
      assert.equal(result.error?.["code"], "DOCTOR_FOUND_BAD");
      assert.deepEqual(states(result, "admission"), ["bad", "bad"]);
      assert.match(of(result, "admission")[0]?.["message"], /exceeded quota/);
      assert.deepEqual(of(result, "network-policies")[0]?.["facts"], {
        policy: "deny",
        bars: ["ingress"],
      });
      const both = ["resourcequota/none", "networkpolicy/deny"];
      succeeded(await namespace.kubectl(["delete", ...both]));
    },
  );

  await t.step(
    "the pods of --pull and --linkTest run, and are gone after it",
    async () => {
      const result = await laptop.run(["doctor", "--pull", "--linkTest"]);
      assert.deepEqual(states(result, "pull"), ["good", "good"], result.stdout);
      assert.deepEqual(states(result, "link-test"), ["good", "good"]);
      for (const { facts } of of(result, "link-test")) {
        assert.ok(facts.roundTripMs > 0);
        assert.ok(facts.megabytesPerSecond > 0);
      }
    },
  );

  await t.step(
    "an image that nobody has is told, and its pod is gone after it",
    async () => {
      const result = await laptop.run([
        ...["doctor", "--pull", "--image", "nobody.invalid/none:1"],
        ...["--podCreationTimeout", "20"],
      ]);
      assert.equal(result.code, 10);
      assert.deepEqual(states(result, "pull"), ["bad", "good"]);
      assert.match(
        of(result, "pull")[0]?.["message"],
        /nobody\.invalid\/none:1/,
      );
    },
  );

  await t.step(
    "the bundle has no name and no secret of the cluster",
    async () => {
      const bundle = join(dir, "bug.tar.gz");
      const result = await laptop.run(["doctor", "--bundle", bundle], {
        kubeconfig,
      });
      assert.ok(result.code === 0 || result.code === 10, result.stdout);
      const { users, clusters } = JSON.parse(
        await Deno.readTextFile(kubeconfig),
      );
      const private_ = [
        users[0].user.token,
        clusters[0].cluster.server,
        clusters[0].cluster["certificate-authority-data"],
        namespace.name,
      ];
      const files = await parseTarGzip(await Deno.readFile(bundle));
      const whole = files.map(({ text }) => text).join("\n");
      for (const one of private_) assert.ok(!whole.includes(one));
      assert.match(whole, /"name": "version"/);
      await Deno.remove(bundle);
    },
  );
  await assertNoTrace({ namespace, laptop, before });
});

Deno.test("what a dead session left is told, with the command that takes it back", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  const expose = `${laptop.demo.port}:80`;
  await using exchange = laptop.start(["exchange", "web", "--expose", expose]);
  await exchange.ready();
  await exchange.stop("SIGKILL");
  const result = await laptop.run(["doctor"]);
  const [sessions] = of(result, "sessions");
  assert.equal(sessions?.["state"], "warning");
  assert.match(sessions?.["message"], /exchange web in/);
  assert.match(sessions?.["advice"], /ktctl clean/);
  assert.equal(laptop.journals().length, 1, "it takes nothing back");
});
