// The API server goes away and comes back while a Service is exchanged.
import assert from "node:assert/strict";
import { openTestCluster } from "./cluster.ts";
import { answerOf, assertNoTrace, Laptop, reaches } from "./laptop.ts";
import { startRequestLog } from "./request_log.ts";

const ours = !Deno.env.get("KTCTL_TEST_KUBECONFIG");

Deno.test({
  name:
    "an exchange comes back by itself after a restart of the API server; every request meanwhile is answered",
  ignore: !ours, // somebody else's API server is not ours to kill
  async fn() {
    const cluster = await openTestCluster();
    await using namespace = await cluster.namespace();
    await namespace.applyDemo();
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

    const log = await startRequestLog(client, 40);
    const up = exchange.linkUp();
    const killedAt = performance.now();
    await cluster.restartApiServer();
    const restartMs = Math.round(performance.now() - killedAt);
    await up;
    const backMs = Math.round(performance.now() - killedAt);
    assert.equal(await answerOf(client), "laptop");

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
    assert.equal(failed.length, 0);

    const { code } = await exchange.stop();
    assert.equal(code, 0);
    await assertNoTrace({ namespace, laptop, before });
  },
});
