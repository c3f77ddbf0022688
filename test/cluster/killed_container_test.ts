// The agent's container dies without warning while a Service is exchanged.
import assert from "node:assert/strict";
import process from "node:process";
import { openTestCluster, succeeded } from "./cluster.ts";
import { assertNoTrace, Laptop, reaches } from "./laptop.ts";
import { pidInPod, shadowPod } from "./pod_process.ts";
import { startRequestLog } from "./request_log.ts";

Deno.test({
  name:
    "an exchange whose agent is killed comes back by itself, in the same pod or a new one",
  ignore: !!Deno.env.get("KTCTL_TEST_KUBECONFIG"), // kills a process of the node
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
    const pod = await shadowPod(namespace);
    const agent = await pidInPod(namespace, pod, "agent.js");

    const log = await startRequestLog(client, 20);
    const up = exchange.linkUp();
    process.kill(agent, "SIGKILL");
    const { ms } = await up;
    await reaches(client);

    const again = await shadowPod(namespace);
    const path = "jsonpath={.status.containerStatuses[0].restartCount}";
    const restarts = succeeded(
      await namespace.kubectl(["get", again, "-o", path]),
    );
    assert.ok(
      again !== pod || restarts === "1",
      "the agent was not killed at all",
    );
    const requests = await log.read();
    const failed = requests.filter(({ answer }) => answer === undefined);
    const seconds = failed.length === 0 ? 0 : failed.at(-1)!.at - failed[0]!.at;
    console.log(
      `agent killed: link up after ${ms} ms; ${failed.length} of ${requests.length} requests failed, ` +
        `within ${seconds.toFixed(1)} s`,
    );
    // nobody listens until the kubelet has started the container again
    assert.ok(seconds < 10, `requests failed for ${seconds} s`);
    assert.equal(requests.at(-1)!.answer, "laptop");

    assert.equal((await exchange.stop()).code, 0);
    await assertNoTrace({ namespace, laptop, before });
  },
});
