// The router dies while nobody's laptop is there: the cluster alone makes another one.
import assert from "node:assert/strict";
import process from "node:process";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import { evict } from "./evict.ts";
import { eventually, Laptop, reaches } from "./laptop.ts";
import { pidInPod } from "./pod_process.ts";
import { gapsOf, startRequestLog } from "./request_log.ts";

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly status: {
    readonly conditions?: readonly { type: string; status: string }[];
    readonly containerStatuses?: readonly { restartCount: number }[];
  };
}

async function routerPods(namespace: TestNamespace): Promise<Pod[]> {
  const pods = "pods?labelSelector=kt-role%3Drouter";
  return (await namespace.request("GET", pods)).items;
}

/** The one that serves. */
async function routerPod(namespace: TestNamespace): Promise<Pod> {
  const [pod, ...others] = (await routerPods(namespace)).filter((
    { metadata },
  ) => metadata.deletionTimestamp === undefined);
  assert.ok(pod !== undefined && others.length === 0, "not one router");
  return pod;
}

function isReady({ status }: Pod): boolean {
  return status.conditions?.some(({ type, status }) =>
    type === "Ready" && status === "True"
  ) ?? false;
}

/** Since 1.26 a Service leads to pods on their way out where no other is ready. */
const GOING_PODS_SERVE = 26;

interface Death {
  readonly title: string;
  readonly kill: (namespace: TestNamespace, pod: string) => Promise<void>;
  /** Seconds for which requests may fail. */
  readonly withinS: number;
  /** Where a Service leads to pods on their way out. @default the same */
  readonly servedWithinS?: number;
}

const deaths: Death[] = [
  {
    title: "its pod is evicted",
    async kill(namespace, pod) {
      succeeded(await evict(namespace, `pod/${pod}`));
    },
    withinS: 5,
    servedWithinS: 0.5,
  },
  {
    title: "its pod is deleted",
    async kill(namespace, pod) {
      const remove = ["delete", "pod", pod, "--wait=false"];
      succeeded(await namespace.kubectl(remove));
    },
    withinS: 5,
    servedWithinS: 0.5,
  },
  {
    title: "its pod is deleted by force",
    async kill(namespace, pod) {
      const force = ["--force", "--grace-period=0"];
      succeeded(await namespace.kubectl(["delete", "pod", pod, ...force]));
    },
    withinS: 5,
  },
  {
    title: "its container is killed",
    async kill(namespace, pod) {
      process.kill(await pidInPod(namespace, `pod/${pod}`, "-db"), "SIGKILL");
    },
    withinS: 5,
  },
];

for (const { title, kill, withinS, servedWithinS = withinS } of deaths) {
  Deno.test({
    name:
      `when nobody is there and the router dies (${title}), the original answers soon, and whoever comes next meshes`,
    ignore: !!Deno.env.get("KTCTL_TEST_KUBECONFIG"), // kills a process of the node
    async fn() {
      const cluster = await openTestCluster();
      await using namespace = await cluster.demo();
      const client = await namespace.client();
      await using alice = await Laptop.open(cluster, namespace, "alice");
      await using bob = await Laptop.open(cluster, namespace, "bob");
      const before = await namespace.snapshot();
      const start = (laptop: Laptop, mark: string) => {
        const expose = ["--expose", `${laptop.demo.port}:80`];
        return laptop.start(["mesh", "web", ...expose, "--versionMark", mark]);
      };
      await using dead = start(alice, "alice");
      await dead.ready();
      await dead.stop("SIGKILL");
      await reaches(client, { name: "web-" });

      const { metadata: { name, uid } } = await routerPod(namespace);
      assert.equal(name, "web-kt-router"); // as the original ktctl looks for it
      const log = await startRequestLog(client, 120);
      await eventually(
        "requests come",
        async () => /pod=/.test(await log.soFar()),
      );
      await kill(namespace, name);
      await eventually(
        "a router is ready again",
        async () => {
          const pods = (await routerPods(namespace)).filter(({ metadata }) =>
            metadata.deletionTimestamp === undefined
          );
          return pods.some((pod) =>
            isReady(pod) &&
            (pod.metadata.uid !== uid ||
              pod.status.containerStatuses?.[0]?.restartCount === 1)
          );
        },
        60_000,
      );
      // longer than the one on its way out would take connections
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      await log.end();
      const requests = await log.read();
      const gaps = gapsOf(requests);
      console.log(
        `${title}: ${requests.length} requests; nothing answered for ${
          gaps.map((seconds) => seconds.toFixed(1)).join(", ") || 0
        } s`,
      );
      const limit = cluster.minor < GOING_PODS_SERVE ? withinS : servedWithinS;
      assert.ok(Math.max(0, ...gaps) <= limit, `nothing answered: ${gaps} s`);
      const { answer } = requests.at(-1)!;
      assert.match(answer ?? "nobody", /^web-/);
      const after = await routerPod(namespace);
      if (after.metadata.uid !== uid) {
        // the original ktctl would delete it alone
        assert.equal(after.metadata.labels["control-by"], undefined);
      }

      await using next = start(bob, "bob");
      await next.ready();
      const marked = await client.curl("-H", "version: bob", "http://web/");
      assert.equal(marked.stdout, "demo pod=bob\n");
      assert.equal((await next.stop()).code, 0);
      const cleaned = await bob.run(["clean", "--thresholdInMinus", "0"]);
      assert.equal(cleaned.code, 0, cleaned.stdout);
      await eventually(
        "as before",
        async () => await namespace.snapshot() === before,
        60_000,
      );
      assert.deepEqual(await routerPods(namespace), []);
    },
  });
}
