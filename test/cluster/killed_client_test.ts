// ktctl dies without a chance to clean up: the original answers again, and `clean` restores all. From another
// laptop, in mode `selector`, that is in clean_test.ts.
import assert from "node:assert/strict";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import {
  answerOf,
  assertNoTrace,
  eventually,
  eventuallyByRuns,
  Laptop,
  reaches,
} from "./laptop.ts";
import { startRequestLog } from "./request_log.ts";

/** Exchanges `web`, then kills ktctl; returns what the namespace held before. */
async function exchangeAndKill(
  namespace: TestNamespace,
  laptop: Laptop,
  args: readonly string[],
): Promise<string> {
  const client = await namespace.client();
  const before = await namespace.snapshot();
  await using exchange = laptop.start([
    "exchange",
    ...args,
    "--expose",
    `${laptop.demo.port}:80`,
  ]);
  await exchange.ready();
  await reaches(client);
  await exchange.stop("SIGKILL");
  assert.notEqual(await namespace.snapshot(), before);
  return before;
}

/** Cleans from another laptop, as soon as the agent has seen that its own is gone. */
async function cleanFrom(other: Laptop): Promise<void> {
  await eventuallyByRuns("clean finds the session dead", async () => {
    const { code, events, stdout, stderr } = await other.run([
      "clean",
      "--thresholdInMinus",
      "0",
    ]);
    assert.equal(code, 0, stdout + stderr);
    return events.some(({ event }) => event === "action");
  });
}

Deno.test("within 5 s of ktctl's death the original pods answer again; clean on the same laptop restores all", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  await using exchange = laptop.start([
    "exchange",
    "web",
    "--expose",
    `${laptop.demo.port}:80`,
  ]);
  await exchange.ready();
  await reaches(client);

  // still under way when ktctl dies
  const open = client.exec([
    "curl",
    "-s",
    "-o",
    "/dev/null",
    "-w",
    "%{time_total}",
    "http://web/slow?ms=60000",
  ]);
  await eventually("the open request is at the laptop", async () => {
    const { stdout } = await client.exec(["cat", "/proc/net/tcp"]);
    // its state is ESTABLISHED, its remote port 80
    return /:0050 01 /.test(stdout);
  });
  const log = await startRequestLog(client, 60);
  await eventually(
    "the log has begun",
    async () => (await log.soFar()).includes("laptop"),
  );

  exchange.kill("SIGKILL");
  const killedAt = performance.now();
  const ms = await reaches(client, { name: "web-", withinMs: 5_000 });
  const { code } = await open;
  const openMs = Math.round(performance.now() - killedAt);
  await log.end();
  const requests = await log.read();
  const failed = requests.filter(({ answer }) => answer === undefined);
  console.log(
    `original pods answer ${ms} ms after SIGKILL; the open request ended after at most ${openMs} ms; ` +
      `${failed.length} of ${requests.length} requests failed`,
  );
  assert.notEqual(code, 0);
  assert.ok(openMs < 10_000, "an open request hung");
  assert.ok(failed.length <= 1, "requests failed that began after the kill");
  assert.equal(laptop.journals().length, 1);

  const cwd = await Deno.makeTempDir();
  const cleaned = await laptop.run(["clean"], { cwd });
  await Deno.remove(cwd);
  assert.equal(cleaned.code, 0, cleaned.stdout + cleaned.stderr);
  await assertNoTrace({ namespace, laptop, before });
  for (let i = 0; i < 5; i++) assert.match(await answerOf(client), /^web-/);
});

for (const who of ["the same laptop", "another laptop"]) {
  Deno.test(`clean from ${who} restores the replica count of a dead session that has scaled to 0`, async () => {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo({ replicas: 2 });
    await using laptop = await Laptop.open(cluster, namespace);
    await using other = await Laptop.open(cluster, namespace, "other");
    const before = await exchangeAndKill(namespace, laptop, [
      ...["deploy/web", "--mode", "scale", "--keepReplicas", "0"],
    ]);
    if (who === "the same laptop") {
      const { code, stdout, stderr } = await laptop.run(["clean"]);
      assert.equal(code, 0, stdout + stderr);
    } else await cleanFrom(other);
    const replicas = await namespace.kubectl([
      "get",
      "deployment/web",
      "-o",
      "jsonpath={.spec.replicas}",
    ]);
    assert.equal(succeeded(replicas), "2");
    const rollout = ["rollout", "status", "deployment/web", "--timeout=60s"];
    succeeded(await namespace.kubectl(rollout));
    assert.equal(await namespace.snapshot(), before);
    await reaches(await namespace.client(), { name: "web-" });
  });
}

Deno.test("a killed start holds the Service's lock for seconds: clean from another laptop takes all of it back", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  await using other = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const expose = ["--expose", `${laptop.demo.port}:80`];
  await using exchange = laptop.start(["exchange", "web", ...expose]);
  await exchange.event(({ event, name, state }) =>
    event === "step" && name === "start the Shadow Pod" && state === "started"
  );
  await exchange.stop("SIGKILL");
  const tookMs = await eventuallyByRuns("all is as before", async () => {
    const { code, stdout } = await other.run([
      "clean",
      "--thresholdInMinus",
      "0",
    ]);
    assert.equal(code, 0, stdout);
    return await namespace.snapshot() === before;
  }, 40_000);
  console.log(`all taken back after ${tookMs} ms`);
});
