// The laptop's connection breaks, or the Shadow Pod goes, while a Service is exchanged.
import assert from "node:assert/strict";
import { openTestCluster, succeeded } from "./cluster.ts";
import { assertNoTrace, eventually, Laptop, reaches } from "./laptop.ts";
import { shadowPod } from "./pod_process.ts";
import { type LoggedRequest, startRequestLog } from "./request_log.ts";
import { TcpProxy } from "./tcp_proxy.ts";

const ours = !Deno.env.get("KTCTL_TEST_KUBECONFIG");

/** The clock of the request log: the node is this machine. */
function uptime(): number {
  return Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]);
}

/** Who answered how often. */
function tally(requests: readonly LoggedRequest[]) {
  const by = { laptop: 0, original: 0, nobody: 0 };
  for (const { answer } of requests) {
    by[
      answer === undefined
        ? "nobody"
        : answer === "laptop"
        ? answer
        : "original"
    ]++;
  }
  return by;
}

Deno.test({
  name:
    "an exchange comes back by itself when its connections are cut; every request that begins meanwhile is answered",
  ignore: !ours, // the API server's certificate must be valid for 127.0.0.1
  async fn() {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    const client = await namespace.client();
    await using laptop = await Laptop.open(cluster, namespace);
    await using proxy = await TcpProxy.open(cluster);
    const before = await namespace.snapshot();
    await using exchange = laptop.start(
      ["exchange", "web", "--expose", `${laptop.demo.port}:80`],
      { kubeconfig: proxy.kubeconfig },
    );
    await exchange.ready();
    await reaches(client);

    const log = await startRequestLog(client, 120);
    const cuts: number[] = [];
    // a link is back before the log has asked more than once
    const logged = (count: number) =>
      eventually(
        "the log has the laptop's answer",
        async () => (await log.soFar()).split("pod=laptop").length > count,
      );
    for (let i = 0; i < 3; i++) {
      await logged(i + 1);
      const up = exchange.linkUp();
      assert.ok(proxy.connections > 0);
      const cutAt = performance.now();
      proxy.cut();
      cuts.push(uptime());
      const { ms } = await up;
      await reaches(client);
      const total = Math.round(performance.now() - cutAt);
      console.log(
        `cut: link up after ${ms} ms, the laptop seen to answer after ${total} ms`,
      );
    }
    await logged(4);
    await log.end();
    const requests = await log.read();
    const by = tally(requests);
    console.log(`three cuts: answers by ${JSON.stringify(by)}`);
    // a request that is under way when its connection breaks is lost; none that begins later
    const lost = requests.filter(({ answer }) => answer === undefined);
    for (const { at } of lost) {
      assert.ok(
        cuts.some((cut) => at > cut - 3 && at < cut + 0.25),
        `the request at ${at} failed; cuts at ${cuts}`,
      );
    }
    assert.ok(lost.length <= cuts.length, `${lost.length} requests failed`);
    assert.ok(by.laptop > 0);

    assert.equal((await exchange.stop()).code, 0);
    await assertNoTrace({ namespace, laptop, before });
  },
});

Deno.test({
  name:
    "within 5 s of the network's falling silent the original pods answer, and the laptop again when it is back",
  ignore: !ours,
  async fn() {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    const client = await namespace.client();
    await using laptop = await Laptop.open(cluster, namespace);
    await using proxy = await TcpProxy.open(cluster);
    const before = await namespace.snapshot();
    await using exchange = laptop.start(
      ["exchange", "web", "--expose", `${laptop.demo.port}:80`],
      { kubeconfig: proxy.kubeconfig },
    );
    await exchange.ready();
    await reaches(client);

    const log = await startRequestLog(client, 120);
    await eventually(
      "the log has begun",
      async () => (await log.soFar()).includes("laptop"),
    );
    const silentAt = performance.now();
    const silentAtS = uptime();
    proxy.goSilent();
    await reaches(client, { name: "web-", withinMs: 5_000 });
    const originalMs = Math.round(performance.now() - silentAt);
    await exchange.event(({ event, state }) =>
      event === "link" && state === "down"
    );
    const noticedMs = Math.round(performance.now() - silentAt);
    const resumedAt = performance.now();
    proxy.resume();
    await reaches(client, { withinMs: 30_000 });
    const backMs = Math.round(performance.now() - resumedAt);
    await log.end();
    const requests = await log.read();
    console.log(
      `silent: original pods answer after ${originalMs} ms, ktctl noticed after ${noticedMs} ms; ` +
        `resumed: the laptop answers after ${backMs} ms; answers by ${
          JSON.stringify(tally(requests))
        }`,
    );
    const first = requests.find(({ answer }) => answer?.startsWith("web-"));
    assert.ok(first !== undefined, "the silence was not seen");
    assert.ok(first.at - silentAtS <= 5, `${first.at} after ${silentAtS}`);
    // what was under way, or handed to the link before the agent noticed
    const lost = requests.filter(({ answer }) => answer === undefined);
    assert.ok(lost.length <= 5, `${lost.length} requests failed`);

    assert.equal((await exchange.stop()).code, 0);
    await assertNoTrace({ namespace, laptop, before });
  },
});

Deno.test("a Shadow Pod that is deleted comes back as a new one; meanwhile the original pods answer", async () => {
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

  const pod = await shadowPod(namespace);
  const log = await startRequestLog(client, 120);
  const up = exchange.linkUp();
  succeeded(await namespace.kubectl(["delete", pod, "--wait=false"]));
  const { ms } = await up;
  await reaches(client);
  assert.notEqual(await shadowPod(namespace), pod);
  await log.end();
  const by = tally(await log.read());
  console.log(
    `Shadow Pod deleted: exchange back after ${ms} ms; answers by ${
      JSON.stringify(by)
    }`,
  );
  assert.ok(by.original > 0, "no original pod answered meanwhile");
  // what is under way when the pod goes is lost
  assert.ok(by.nobody <= 2, `${by.nobody} requests failed`);

  assert.equal((await exchange.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });
});
