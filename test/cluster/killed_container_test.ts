// The agent's container dies without warning, more than once, while a Service is exchanged.
import assert from "node:assert/strict";
import process from "node:process";
import { openTestCluster } from "./cluster.ts";
import { assertNoTrace, eventually, Laptop, reaches } from "./laptop.ts";
import { pidInPod, shadowPod } from "./pod_process.ts";
import { gapsOf, startRequestLog } from "./request_log.ts";

/** From the second on the kubelet waits 10, 20, 40 … s before it starts the container again. */
const DEATHS = 4;

Deno.test({
  name:
    "an exchange whose agent is killed again and again comes back by itself, and the Service is never dead for long",
  ignore: !!Deno.env.get("KTCTL_TEST_KUBECONFIG"), // kills a process of the node
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
    const pods = new Set<string>();
    const log = await startRequestLog(client, 120, {
      connectSeconds: 0.3, // what waits for a container that is gone counts as a whole
    });
    for (let death = 1; death <= DEATHS; death++) {
      let up = exchange.linkUp();
      // a pod may be on its way out still, in place of which there is another one soon
      await eventually("an agent is killed", async () => {
        try {
          const pod = await shadowPod(namespace);
          const pid = await pidInPod(namespace, pod, "agent.js");
          up = exchange.linkUp();
          process.kill(pid, "SIGKILL");
          pods.add(pod);
          return true;
        } catch {
          return false;
        }
      });
      const { ms } = await up;
      console.log(
        `agent killed for the ${death}. time: link up after ${ms} ms`,
      );
      await reaches(client);
    }

    await eventually(
      "the requests are answered",
      async () => (await log.soFar()).trimEnd().endsWith("pod=laptop"),
    );
    await log.end();
    const requests = await log.read();
    const gaps = gapsOf(requests);
    const failed = requests.filter(({ answer }) => answer === undefined);
    console.log(
      `${failed.length} of ${requests.length} requests failed, in gaps of ${
        gaps.map((seconds) => seconds.toFixed(1)).join(", ")
      } s; pods: ${pods.size}`,
    );
    assert.ok(
      failed.length > 0 || pods.size > 1,
      "the agent was not killed at all",
    );
    assert.ok(Math.max(0, ...gaps) <= 5, `nothing answered for ${gaps} s`);
    assert.equal(requests.at(-1)!.answer, "laptop");

    assert.equal((await exchange.stop()).code, 0);
    await assertNoTrace({ namespace, laptop, before });
  },
});
