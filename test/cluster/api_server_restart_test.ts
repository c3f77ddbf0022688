// The API server goes away and comes back while a Service is exchanged.
import assert from "node:assert/strict";
import { openTestCluster } from "./cluster.ts";
import { answerOf, assertNoTrace, Laptop, reaches } from "./laptop.ts";
import { startRequestLog } from "./request_log.ts";
import { connectKube } from "../../src/kube/connect_kube.ts";
import { isOutage } from "../../src/kube/is_outage.ts";
import { SERVICES } from "../../src/kube/resources.ts";
import { Reverter } from "../../src/undo/reverter.ts";

const ours = !Deno.env.get("KTCTL_TEST_KUBECONFIG");

/** Seconds of the clock that the log of requests goes by. */
async function uptime(): Promise<number> {
  return parseFloat(await Deno.readTextFile("/proc/uptime"));
}

Deno.test({
  name:
    "an exchange comes back by itself after a restart of the API server; every request that comes meanwhile is answered",
  ignore: !ours, // somebody else's API server is not ours to kill
  async fn() {
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

    const log = await startRequestLog(client, 180);
    const up = exchange.linkUp();
    const killedAt = performance.now();
    await cluster.stopApiServer();
    const stoppedAt = await uptime();
    await cluster.startApiServer();
    const restartMs = Math.round(performance.now() - killedAt);
    await up;
    const backMs = Math.round(performance.now() - killedAt);
    assert.equal(await answerOf(client), "laptop");

    await log.end();
    const requests = await log.read();
    const failed = requests.filter(({ answer }) => answer === undefined);
    const byOriginal = requests.filter(({ answer }) =>
      answer?.startsWith("web-")
    );
    console.log(
      `API server away for ${restartMs} ms; exchange back after ${backMs} ms; of ${requests.length} ` +
        `requests ${byOriginal.length} were answered by the original, ${failed.length} by nobody`,
    );
    assert.ok(byOriginal.length > 0, "the outage was not seen");
    // one that was on its way through the server when it was killed may be lost with it, no later one
    assert.ok(failed.length <= 1);
    assert.ok(
      failed.every(({ at }) => at <= stoppedAt),
      JSON.stringify(failed),
    );

    const { code } = await exchange.stop();
    assert.equal(code, 0);
    await assertNoTrace({ namespace, laptop, before });
  },
});

Deno.test("what the API server refuses is not waited for", async () => {
  const cluster = await openTestCluster();
  const { signal } = new AbortController();
  const { kubeconfig } = cluster;
  await using kube = await connectKube({ kubeconfig, signal });
  const step = {
    id: "test.refused",
    describe: () => "nothing",
    undoCommand: () => "true",
    apply: () => Promise.resolve(),
    async revert() {
      await kube.list(SERVICES, { fieldSelector: "spec.none=1" }); // HTTP status 400
    },
  };
  const told: unknown[] = [];
  const onOutage = (error: unknown) => void told.push(error);
  const reverter = new Reverter({ kube }, {
    outage: { isOutage, patienceMs: 20_000, onOutage },
  });
  const reverted = await reverter.revert({ step, args: {}, belongsTo: [] });
  assert.ok(reverted.state === "failed");
  assert.deepEqual(told, []);
  assert.equal((reverted.error as { code?: string }).code, "API_REFUSED");
});
