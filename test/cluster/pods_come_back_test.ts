// Nobody's laptop is there when the pod that a Service leads to goes as well.
import assert from "node:assert/strict";
import process from "node:process";
import { makeAccount } from "./account.ts";
import {
  openTestCluster,
  succeeded,
  type TestCluster,
  type TestNamespace,
} from "./cluster.ts";
import { evict } from "./evict.ts";
import { grant } from "./grant.ts";
import { assertNoTrace, eventually, Laptop, reaches } from "./laptop.ts";
import { pidInPod, shadowPod } from "./pod_process.ts";
import { gapsOf, startRequestLog } from "./request_log.ts";

/** So long the Service of a developer whose laptop is gone may be dead by one more fault. */
const MOST_S = 5;

const FAULTS: Readonly<
  Record<string, (namespace: TestNamespace, pod: string) => Promise<void>>
> = {
  "is deleted": async (namespace, pod) => {
    succeeded(await namespace.kubectl(["delete", pod, "--wait=false"]));
  },
  "is evicted, as by kubectl drain": async (namespace, pod) => {
    succeeded(await evict(namespace, pod));
  },
  "is ended by its node": async (namespace, pod) => {
    const deadline = JSON.stringify({ spec: { activeDeadlineSeconds: 1 } });
    succeeded(await namespace.kubectl(["patch", pod, "--patch", deadline]));
  },
  "has its container killed": async (namespace, pod) => {
    process.kill(await pidInPod(namespace, pod, "agent.js"), "SIGKILL");
  },
};

for (const [fault, strike] of Object.entries(FAULTS)) {
  Deno.test({
    name:
      `the original answers within ${MOST_S} s, with the laptop gone, when the Shadow Pod ${fault}`,
    ignore: !!Deno.env.get("KTCTL_TEST_KUBECONFIG"), // kills a process of the node
    async fn() {
      const cluster = await openTestCluster();
      await using namespace = await cluster.demo();
      const client = await namespace.client();
      await using laptop = await Laptop.open(cluster, namespace);
      const before = await namespace.snapshot();
      const expose = `${laptop.demo.port}:80`;
      await using exchange = laptop.start([
        "exchange",
        "web",
        "--expose",
        expose,
      ]);
      await exchange.ready();
      await reaches(client);
      await exchange.stop("SIGKILL");
      await reaches(client, { name: "web-", withinMs: 5_000 });

      // a request that waits for a pod that is gone is to end soon: it counts as a whole
      const log = await startRequestLog(client, 60, { connectSeconds: 0.3 });
      await eventually(
        "the log has begun",
        async () => (await log.soFar()).includes("web-"),
      );
      const [old] = await runningShadows(namespace);
      await strike(namespace, old!.pod);
      await eventually("there is another container, and it runs", async () => {
        const now = await runningShadows(namespace);
        return now.some(({ pod, restarts }) =>
          pod !== old!.pod || restarts > old!.restarts
        );
      });
      // what came to the new container is in the log
      const told = (await log.soFar()).length;
      await eventually(
        "requests after that are answered",
        async () => /pod=web-/.test((await log.soFar()).slice(told + 200)),
      );
      await log.end();
      const requests = await log.read();
      const gaps = gapsOf(requests);
      console.log(
        `${fault}: no answer for ${
          gaps.map((seconds) => seconds.toFixed(1)).join(", ") || 0
        } s`,
      );
      assert.ok(Math.max(0, ...gaps) <= MOST_S, `dead for ${gaps} s`);
      assert.match(requests.at(-1)!.answer ?? "nobody", /^web-/);

      assert.equal((await laptop.run(["clean"])).code, 0);
      await reaches(client, { name: "web-" });
      await assertNoTrace({ namespace, laptop, before });
    },
  });
}

/** Returns the kubeconfig of a developer whom nothing else stands in the way of. */
const REFUSALS: Readonly<
  Record<
    string,
    (
      cluster: TestCluster,
      namespace: TestNamespace,
      dir: string,
    ) => Promise<string>
  >
> = {
  "who may make no ReplicaSet": async (cluster, namespace, dir) => {
    const account = { name: "dev", dir };
    const kubeconfig = await makeAccount(cluster, namespace, account);
    await grant(namespace, { account: "dev", role: "exchange" });
    const get = ["get", "role", "ktctl-exchange", "-o", "json"];
    const role = JSON.parse(succeeded(await namespace.kubectl(get)));
    const rules = role.rules.filter((
      { resources }: { resources: string[] },
    ) => !resources.includes("replicasets"));
    assert.ok(rules.length < role.rules.length);
    await namespace.apply(JSON.stringify({ ...role, rules }));
    return kubeconfig;
  },
  "whose quota has room for no ReplicaSet": async (cluster, namespace) => {
    await namespace.apply(JSON.stringify({
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "few" },
      spec: { hard: { "count/replicasets.apps": "1" } },
    }));
    const counted = "--for=jsonpath={.status.used.count/replicasets\\.apps}=1";
    const wait = ["wait", counted, "resourcequota/few", "--timeout=20s"];
    succeeded(await namespace.kubectl(wait));
    return cluster.kubeconfig;
  },
};

for (const [who, prepare] of Object.entries(REFUSALS)) {
  Deno.test(`${who} exchanges by a bare Pod, and is told what that means`, async () => {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    const client = await namespace.client();
    await using laptop = await Laptop.open(cluster, namespace);
    const dir = laptop.stateHome;
    const kubeconfig = await prepare(cluster, namespace, dir);
    const before = await namespace.snapshot();
    const expose = `${laptop.demo.port}:80`;
    const args = ["exchange", "web", "--expose", expose];
    await using exchange = laptop.start(args, { kubeconfig });
    await exchange.ready();
    await reaches(client);
    const warned = exchange.events.find(({ code }) =>
      code === "SHADOW_NOT_KEPT"
    );
    assert.match(String(warned?.["message"]), /made without a ReplicaSet/);
    const get = ["get", await shadowPod(namespace), "-o", "json"];
    const { metadata } = JSON.parse(succeeded(await namespace.kubectl(get)));
    assert.equal(metadata.ownerReferences, undefined);
    assert.equal((await exchange.stop()).code, 0);
    await assertNoTrace({ namespace, laptop, before });
  });
}

/** One that has ended stays in the list beside the one in its place. */
async function runningShadows(
  namespace: TestNamespace,
): Promise<{ pod: string; restarts: number }[]> {
  const get = ["get", "pods", "-o", "json"];
  const { items } = JSON.parse(succeeded(await namespace.kubectl(get)));
  return items.flatMap(({ metadata, status }: Json) => {
    const [container] = status.containerStatuses ?? [];
    return metadata.name.includes("-kt-exchange-") &&
        metadata.deletionTimestamp === undefined &&
        container?.state?.running !== undefined
      ? [{
        pod: `pod/${metadata.name}`,
        restarts: container.restartCount,
      }]
      : [];
  });
}

// deno-lint-ignore no-explicit-any -- open JSON of the API
type Json = any;
