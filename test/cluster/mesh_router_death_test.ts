// The router dies under its developers, and under everybody else's requests.
import assert from "node:assert/strict";
import process from "node:process";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import { eventually, Laptop, reaches, untouched } from "./laptop.ts";
import { oursAreGone } from "./ours_are_gone.ts";
import { pidInPod } from "./pod_process.ts";
import { gapsOf, startRequestLog } from "./request_log.ts";

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
  };
  readonly status: {
    readonly conditions?: readonly { type: string; status: string }[];
  };
}

async function routerPods(namespace: TestNamespace): Promise<Pod[]> {
  const pods = "pods?labelSelector=kt-role%3Drouter";
  return (await namespace.request("GET", pods)).items;
}

async function routerPod(namespace: TestNamespace): Promise<string> {
  const serving = (await routerPods(namespace)).filter(({ metadata }) =>
    metadata.deletionTimestamp === undefined
  );
  assert.equal(serving.length, 1, "not one router that serves");
  return serving[0]!.metadata.name;
}

/** Until then one on its way out may answer still. */
async function becomesAnother(
  namespace: TestNamespace,
  uid: string,
): Promise<void> {
  await eventually(
    "another router is ready, and that one has gone",
    async () => {
      const pods = await routerPods(namespace);
      return pods.length > 0 &&
        pods.every(({ metadata, status }) =>
          metadata.uid !== uid &&
          status.conditions?.some(({ type, status }) =>
            type === "Ready" && status === "True"
          )
        );
    },
    60_000, // the kubelet takes 20 s now and then until a pod is gone
  );
}

async function uidOf(namespace: TestNamespace, pod: string): Promise<string> {
  const get = ["get", "pod", pod, "-o", "jsonpath={.metadata.uid}"];
  return succeeded(await namespace.kubectl(get));
}

const deaths: {
  title: string;
  kill: (namespace: TestNamespace, pod: string) => Promise<void>;
  /** Seconds for which requests may fail. */
  withinS: number;
  /** @default 1 */
  times?: number;
  /** Another pod comes. @default false */
  isAnother?: boolean;
}[] = [
  {
    title: "its container is killed, and killed again",
    async kill(namespace, pod) {
      process.kill(await pidInPod(namespace, `pod/${pod}`, "-db"), "SIGKILL");
    },
    // nobody listens until the Service is switched
    withinS: 5,
    // the second time the kubelet would wait ten seconds before it starts the container again
    times: 2,
  },
  {
    title: "its pod is deleted",
    async kill(namespace, pod) {
      succeeded(
        await namespace.kubectl(["delete", "pod", pod, "--wait=false"]),
      );
    },
    withinS: 2,
    isAnother: true,
  },
  {
    title: "its pod is deleted by force",
    async kill(namespace, pod) {
      const force = ["--force", "--grace-period=0"];
      succeeded(await namespace.kubectl(["delete", "pod", pod, ...force]));
    },
    withinS: 5,
    isAnother: true,
  },
];

for (const { title, kill, withinS, times = 1, isAnother } of deaths) {
  Deno.test({
    name:
      `when the router dies (${title}), the original answers soon, every route comes back, and others may join`,
    ignore: !!Deno.env.get("KTCTL_TEST_KUBECONFIG"), // kills a process of the node
    async fn() {
      const cluster = await openTestCluster();
      await using namespace = await cluster.demo();
      const client = await namespace.client();
      await using alice = await Laptop.open(cluster, namespace, "alice");
      await using bob = await Laptop.open(cluster, namespace, "bob");
      await using carol = await Laptop.open(cluster, namespace, "carol");
      const before = await namespace.snapshot();
      const start = (laptop: Laptop, mark: string) =>
        laptop.start([
          "mesh",
          "web",
          "--expose",
          `${laptop.demo.port}:80`,
          "--versionMark",
          mark,
        ]);
      const marked = async (header: string) => {
        const { stdout } = await client.curl(
          "-m",
          "3",
          "-H",
          header,
          "http://web/",
        );
        return stdout.trim();
      };
      const routesAreBack = () =>
        eventually(
          "both routes are back",
          async () =>
            await marked("version: alice") === "demo pod=alice" &&
            await marked("kt-mark: b") === "demo pod=bob",
          60_000,
        );
      await using first = start(alice, "alice");
      await first.ready();
      await using second = start(bob, "kt-mark:b");
      await second.ready();
      await routesAreBack();

      const log = await startRequestLog(client, 120);
      const uid = await uidOf(namespace, await routerPod(namespace));
      for (let time = 1; time <= times; time++) {
        await kill(namespace, await routerPod(namespace));
        if (isAnother) await becomesAnother(namespace, uid);
        const backMs = await routesAreBack();
        console.log(`${title}: routes back after ${backMs} ms`);
      }
      assert.notEqual(
        await uidOf(namespace, await routerPod(namespace)),
        uid,
        "it would have to wait for the kubelet",
      );
      await eventually(
        "the requests are answered",
        async () => /pod=web-\S+\n$/.test(await log.soFar()),
      );
      await log.end();
      const requests = await log.read();
      const gaps = gapsOf(requests);
      console.log(
        `${requests.length} unmarked requests; nothing answered for ${
          gaps.map((seconds) => seconds.toFixed(1)).join(", ") || 0
        } s`,
      );
      assert.ok(
        Math.max(0, ...gaps) <= withinS,
        `nothing answered for ${gaps} s`,
      );

      await using third = start(carol, "carol");
      await third.ready();
      await eventually(
        "carol's mark leads to carol",
        async () => await marked("version: carol") === "demo pod=carol",
      );
      await routesAreBack();
      for (const mesh of [first, third, second]) {
        assert.equal((await mesh.stop()).code, 0);
      }
      await reaches(client, { name: "web-" });
      // a router on its way out goes with its last connection
      await oursAreGone(namespace, 60_000);
      await untouched(namespace, before);
    },
  });
}

Deno.test("when a node is drained of router and Shadow Pod, and no other takes them, the original answers until one does", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const expose = `${laptop.demo.port}:80`;
  const mark = ["--versionMark", "mine"];
  await using mesh = laptop.start(["mesh", "web", "--expose", expose, ...mark]);
  await mesh.ready();
  const marked = async () =>
    (await client.curl("-m", "3", "-H", "version: mine", "http://web/")).stdout;
  await eventually("it comes here", async () => /laptop/.test(await marked()));

  const pod = ["get", "pods", "-l", "kt-role=router", "-o", "json"];
  const [{ spec: { nodeName } }] = JSON.parse(
    succeeded(await namespace.kubectl(pod)),
  ).items;
  // ours alone: the cluster's DNS is to stay
  const ours = ["--force", "--pod-selector", "control-by=kt"];
  const drain = ["drain", nodeName, ...ours, "--timeout=40s"];
  try {
    succeeded(
      await cluster.kubectl([...drain, "--delete-emptydir-data"], {
        timeout: 60_000,
      }),
    );
    await reaches(client, { name: "web-", withinMs: 5_000 });
    // what their ReplicaSets have made since is not marked as made by ktctl
    const get = ["get", "pods", "-l", "kt-role", "-o", "json"];
    const { items } = JSON.parse(succeeded(await namespace.kubectl(get)));
    const phases = items.map((
      { status }: { status: { phase: string } },
    ) => status.phase);
    assert.ok(phases.includes("Pending"), phases.join());
    assert.ok(!phases.includes("Running"), phases.join());
  } finally {
    succeeded(await cluster.kubectl(["uncordon", nodeName]));
  }
  await eventually(
    "it comes here again",
    async () => /laptop/.test(await marked()),
    60_000,
  );
  assert.equal((await mesh.stop()).code, 0);
  assert.equal(await namespace.snapshot(), before);
});
