// The laptop's clock is an hour off: what others read is in the cluster's time.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { clusterNow } from "./clock.ts";
import {
  openTestCluster,
  succeeded,
  type TestCluster,
  type TestNamespace,
} from "./cluster.ts";
import { assertNoTrace, eventually, Laptop, reaches } from "./laptop.ts";
import { clockObstacle, clockWords, SetClock } from "./set_clock.ts";

const obstacle = await clockObstacle();

const clock = (off: string) => ({ within: clockWords(off) });

function test(claim: string, fn: () => Promise<void>): void {
  const name = obstacle === undefined ? claim : `${claim} (${obstacle})`;
  Deno.test({ name, ignore: obstacle !== undefined, fn });
}

/** What objects of ours say of when they were alive, and how long a lock lasts, in Unix seconds. */
async function timesTold(
  namespace: TestNamespace,
): Promise<{ beats: number[]; locks: number[] }> {
  const kinds = ["pods", "services", "secrets", "configmaps"];
  const lists = await Promise.all(
    kinds.map((kind) => namespace.request("GET", kind)),
  );
  const items = lists.flatMap(({ items }) => items);
  const of = (...names: string[]): number[] =>
    items.flatMap((
      { metadata: { annotations = {} } }: {
        metadata: { annotations?: Record<string, string> };
      },
    ) =>
      names.flatMap((name) =>
        annotations[name] === undefined ? [] : [Number(annotations[name])]
      )
    );
  return {
    beats: of("kt-last-heart-beat"),
    locks: of("kt-lock", "ktctl.dev/lock-until"),
  };
}

/** A kubeconfig that does not look at the server's certificate, which may be younger than an hour. */
async function trusting(
  cluster: TestCluster,
  { file, token }: { file: string; token?: string },
): Promise<string> {
  const view = ["config", "view", "--raw", "--flatten", "--minify"];
  const text = succeeded(await cluster.kubectl([...view, "-o", "json"]));
  const config = JSON.parse(text);
  const { server } = config.clusters[0].cluster;
  config.clusters[0].cluster = { server, "insecure-skip-tls-verify": true };
  if (token !== undefined) config.users[0].user = { token };
  await Deno.writeTextFile(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

for (const off of ["+1h", "-1h"]) {
  test(`with a clock ${off} off, heartbeats and locks are in the cluster's time, and nobody's clean takes a living session`, async () => {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    await using laptop = await Laptop.open(cluster, namespace);
    await using other = await Laptop.open(cluster, namespace, "other");
    const before = await namespace.snapshot();
    const kubeconfig = await trusting(cluster, {
      file: `${laptop.stateHome}/config`,
    });
    const expose = ["--expose", `${laptop.demo.port}:80`];
    const client = await namespace.client();
    const wrong = { kubeconfig, ...clock(off) };
    for (const verb of [["exchange", "web"], ["mesh", "web"]]) {
      await using session = laptop.start([...verb, ...expose], wrong);
      const meanwhile: number[] = [];
      const locks: number[] = [];
      let isReady = false;
      const ready = session.ready().finally(() => isReady = true);
      ready.catch(() => {}); // awaited below
      while (!isReady) {
        const times = await timesTold(namespace);
        meanwhile.push(...times.beats);
        locks.push(...times.locks);
        await sleep(100);
      }
      await ready;
      const now = await clusterNow(namespace);
      const { beats } = await timesTold(namespace);
      assert.ok(locks.length > 0 && beats.length > 0, `${locks}; ${beats}`);
      const told = [...meanwhile, ...locks, ...beats];
      for (const time of told) {
        assert.ok(Math.abs(time - now) < 60, `${time} at ${now}`);
      }
      const began = Date.parse(session.events[0]!.time) / 1000;
      assert.ok(Math.abs(began - now) > 3_000, "its clock is off");
      if (verb[0] === "exchange") await reaches(client);
      // five minutes without a heartbeat are a death
      const left = await other.run(["clean"]);
      assert.equal(left.code, 0, left.stdout);
      assert.doesNotMatch(left.stdout, /"action"/);
      await session.stop("SIGKILL");
      // whose clock is wrong does not take it for longer dead than it is
      const early = await other.run(["clean"], wrong);
      assert.equal(early.code, 0, early.stdout);
      assert.doesNotMatch(early.stdout, /"action"/);
      await using next = laptop.start([...verb, ...expose], wrong);
      await next.ready();
      assert.equal((await next.stop()).code, 0);
      await assertNoTrace({ namespace, laptop, before });
    }
  });
}

test("a clock that is set an hour forward while ktctl runs changes no time that others read", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const client = await namespace.client();
  using clock = new SetClock();
  const args = ["exchange", "web", "--expose", `${laptop.demo.port}:80`];
  await using exchange = laptop.start(args, clock);
  await exchange.ready();
  clock.set("+3600");
  await sleep(1_500); // it is read again once a second
  const back = exchange.linkUp();
  const pods = ["delete", "pods", "-l", "kt-role", "--wait=false"];
  succeeded(await namespace.kubectl(pods));
  const { time } = await back;
  await reaches(client);
  const now = await clusterNow(namespace);
  assert.ok(Date.parse(time) / 1000 - now > 3_000, "its clock was set");
  const { beats } = await timesTold(namespace);
  assert.ok(beats.length > 0);
  for (const time of beats) {
    assert.ok(Math.abs(time - now) < 60, `${time} at ${now}`);
  }
  assert.equal((await exchange.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });
});

test("a clock before the server's certificate was made is refused, and the hint names the clock", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const args = ["exchange", "web", "--expose", `${laptop.demo.port}:80`];
  const { code, error, stdout } = await laptop.run(args, clock("-20y"));
  assert.equal(code, 5, stdout);
  assert.equal(error?.["code"], "CLUSTER_UNREACHABLE");
  assert.match(error["message"], /its certificate is not trusted/);
  assert.match(error["hint"], /this machine's clock, which says 20/);
  await assertNoTrace({ namespace, laptop, before });
});

test("a service account's token is refused by the server's clock alone", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await using laptop = await Laptop.open(cluster, namespace);
  await namespace.applyDemo();
  await eventually("the account is there", async () => {
    const made = await namespace.kubectl(["get", "serviceaccount", "default"]);
    return made.code === 0;
  });
  const token = succeeded(
    await namespace.kubectl(["create", "token", "default", "--duration=10m"]),
  ).trim();
  const file = `${laptop.stateHome}/config`;
  const kubeconfig = await trusting(cluster, { file, token });
  for (const off of ["+1h", "-1h"]) {
    const { error, stdout } = await laptop.run(["recover", "web"], {
      kubeconfig,
      ...clock(off),
    });
    // let in: what is missing is a right
    assert.equal(error?.["code"], "RBAC_FORBIDDEN", stdout);
  }
});
