// A cluster of two nodes (K8S_NODES=2): ours on one, the original on the other, and a node that goes.
import assert from "node:assert/strict";
import {
  CLUSTER_SCRIPT,
  openTestCluster,
  succeeded,
  type TestNamespace,
} from "./cluster.ts";
import { type CommandOptions, type CommandResult, run } from "./command.ts";
import { ConnectLab, obstacle } from "./connect_lab.ts";
import { assertNoTrace, eventually, Laptop } from "./laptop.ts";
import { pidInPod } from "./pod_process.ts";
import { gapsOf, startRequestLog } from "./request_log.ts";

const nodes = await nodeNames();
const ignore = nodes.length < 2;
if (ignore) console.log("skipped: the cluster has one node");
const [first = "", second = ""] = nodes;

async function nodeNames(): Promise<string[]> {
  const cluster = await openTestCluster().catch(() => undefined);
  const path = "jsonpath={.items[*].metadata.name}";
  const asked = await cluster?.kubectl(["get", "nodes", "-o", path]);
  return asked === undefined ? [] : succeeded(asked).split(" ").sort();
}

const on = (node: string) => ({ "kubernetes.io/hostname": node });

function deployment(name: string, node?: string) {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: "web", name } },
      template: {
        metadata: { labels: { app: "web", name } },
        spec: {
          ...(node !== undefined && { nodeSelector: on(node) }),
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 2,
          containers: [{
            name: "web",
            image: "ktctl-demo:1",
            imagePullPolicy: "IfNotPresent",
            ports: [{ name: "http", containerPort: 8080 }],
            readinessProbe: {
              httpGet: { path: "/", port: "http" },
              ...{ periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 10 },
            },
          }],
        },
      },
    },
  };
}

function service(spec: Record<string, unknown> = {}) {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web" },
    spec: {
      selector: { app: "web" },
      ports: [{ name: "http", port: 80, targetPort: "http" }],
      ...spec,
    },
  };
}

/** On each node one that asks. */
function client(node: string) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `client-${node}`, labels: { asks: "" } },
    spec: {
      nodeSelector: on(node),
      tolerations: [{ operator: "Exists" }],
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [{
        name: "client",
        image: "localhost/client:1",
        imagePullPolicy: "IfNotPresent",
      }],
    },
  };
}

async function apply(
  namespace: TestNamespace,
  items: readonly unknown[],
): Promise<void> {
  const all = [...items, client(first), client(second)];
  await namespace.apply(
    JSON.stringify({ apiVersion: "v1", kind: "List", items: all }),
  );
  const wait = ["wait", "--for=condition=Ready", "pod", "--all"];
  await eventually("pods are there", async () => {
    const { code } = await namespace.kubectl([...wait, "--timeout=30s"]);
    return code === 0;
  });
}

const clientPids = new Map<string, Promise<number>>();

/** What `kubectl exec` comes to in the client of that node, which is on this machine. */
async function execOn(
  namespace: TestNamespace,
  node: string,
  words: readonly string[],
  options?: CommandOptions,
): Promise<CommandResult> {
  const key = `${namespace.name}/${node}`;
  const pid = clientPids.get(key) ??
    pidInPod(namespace, `pod/client-${node}`, "sleep");
  clientPids.set(key, pid);
  const namespaces = ["--mount", "--net", "--pid"];
  return await run(
    "nsenter",
    [`--target=${await pid}`, ...namespaces, "--", ...words],
    options,
  );
}

/** Who answers a pod of that node: a pod, the laptop, or `none`. */
async function answer(
  namespace: TestNamespace,
  node: string,
  ...headers: string[]
): Promise<string> {
  const curl = ["curl", "-s", "-m", "3", ...headers, "http://web/"];
  const { stdout } = await execOn(namespace, node, curl);
  return /^demo pod=(\S+)\n$/.exec(stdout)?.[1] ?? "none";
}

function answers(
  namespace: TestNamespace,
  who: RegExp,
  ...headers: string[]
): Promise<number> {
  return eventually(
    `${who} answers on both nodes`,
    async () =>
      who.test(await answer(namespace, first, ...headers)) &&
      who.test(await answer(namespace, second, ...headers)),
  );
}

/** Nodes of the pods that ktctl has made, by name. */
async function ourNodes(namespace: TestNamespace): Promise<string[]> {
  // those of a Deployment or a ReplicaSet are not marked as made by ktctl
  const { items } = await namespace.request(
    "GET",
    "pods?labelSelector=kt-role",
  );
  return items.map((
    { spec }: { spec: { nodeName: string } },
  ) => spec.nodeName);
}

/** Cordoned until it is disposed. */
async function cordon(node: string): Promise<AsyncDisposable> {
  const cluster = await openTestCluster();
  succeeded(await cluster.kubectl(["cordon", node]));
  return {
    async [Symbol.asyncDispose]() {
      await cluster.kubectl(["uncordon", node]);
    },
  };
}

/** As by a power cut: nothing comes from the second node any more, no refusal either. Until it is disposed. */
async function cutOff(): Promise<AsyncDisposable & { end(): Promise<void> }> {
  const iptables = async (how: string) => {
    const rule = ["PREROUTING", "-i", "node2", "-j", "DROP"];
    const words = ["iptables", "-w", "-t", "raw", how, ...rule];
    succeeded(await run("bash", [CLUSTER_SCRIPT, "ns", ...words]));
  };
  await iptables("-I");
  let isCut = true;
  const end = async () => {
    if (isCut) await iptables("-D");
    isCut = false;
  };
  return { end, [Symbol.asyncDispose]: end };
}

const MARK = ["--versionMark", "mine"];
const verbs = [
  { verb: "exchange", args: [], headers: [] },
  { verb: "mesh", args: MARK, headers: ["-H", "version: mine"] },
] as const;

for (const { verb, args, headers } of verbs) {
  Deno.test({
    name:
      `${verb}: our pods are on one node, the original on the other, and both nodes' requests come`,
    ignore,
    async fn() {
      const cluster = await openTestCluster();
      await using namespace = await cluster.namespace();
      await apply(namespace, [deployment("web", first), service()]);
      await using laptop = await Laptop.open(cluster, namespace);
      const before = await namespace.snapshot();
      await using session = laptop.start([
        ...[verb, "web", "--expose", `${laptop.demo.port}:80`, ...args],
        ...["--nodeSelector", `kubernetes.io/hostname=${second}`],
      ]);
      await session.ready();
      await answers(namespace, /^laptop$/, ...headers);
      if (verb === "mesh") await answers(namespace, /^web-/);
      const placed = await ourNodes(namespace);
      assert.deepEqual([...new Set(placed)], [second]);
      assert.equal((await session.stop()).code, 0);
      await answers(namespace, /^web-/);
      await assertNoTrace({ namespace, laptop, before });
    },
  });

  Deno.test({
    name:
      `${verb}: a drain of the node with our pods and one of the original's is not held up, nor does the Service stay without an answer`,
    ignore,
    async fn() {
      const cluster = await openTestCluster();
      await using namespace = await cluster.namespace();
      const budget = {
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata: { name: "web" },
        spec: { minAvailable: 1, selector: { matchLabels: { app: "web" } } },
      };
      const both = [deployment("web", first), deployment("other", second)];
      await apply(namespace, [...both, service(), budget]);
      await using laptop = await Laptop.open(cluster, namespace);
      const expose = ["--expose", `${laptop.demo.port}:80`];
      const firstIsClosed = await cordon(first);
      await using _ = firstIsClosed;
      await using session = laptop.start([verb, "web", ...expose, ...args]);
      await session.ready();
      await answers(namespace, /^laptop$/, ...headers);
      const placed = await ourNodes(namespace);
      assert.deepEqual([...new Set(placed)], [second]);
      await firstIsClosed[Symbol.asyncDispose]();

      let isDraining = true;
      const gapsMs: number[] = [];
      const asking = (async () => {
        let lastMs = performance.now();
        while (isDraining) {
          if (await answer(namespace, first) === "none") continue;
          gapsMs.push(performance.now() - lastMs);
          lastMs = performance.now();
        }
      })();
      await using __ = await cordon(second); // undone where the drain fails
      const drain = ["drain", second, "--force", "--delete-emptydir-data"];
      succeeded(
        await cluster.kubectl(
          [...drain, "--pod-selector", "!asks", "--timeout=60s"],
          { timeout: 70_000 },
        ),
      );
      await answers(namespace, /^laptop$/, ...headers);
      isDraining = false;
      await asking;
      assert.deepEqual([...new Set(await ourNodes(namespace))], [first]);
      const worstMs = Math.round(Math.max(...gapsMs));
      console.log(`${verb}: at most ${worstMs} ms from answer to answer`);
      assert.ok(worstMs < 10_000, `nobody answered for ${worstMs} ms`);
      assert.equal((await session.stop()).code, 0);
      await answers(namespace, /^web-/);
    },
  });
}

const nodeDeaths = [
  { what: "exchange, our pod's node", ...verbs[0], isApart: false },
  { what: "mesh, our pods' node", ...verbs[1], isApart: false },
  { what: "mesh, the router's node alone", ...verbs[1], isApart: true },
];

for (const { what, verb, args, headers, isApart } of nodeDeaths) {
  Deno.test({
    name:
      `${what}: the Service is answered within 5 s when that node is gone, and taken again on the other`,
    ignore,
    async fn() {
      const cluster = await openTestCluster();
      await using namespace = await cluster.namespace();
      await using laptop = await Laptop.open(cluster, namespace);
      {
        await using _ = await cordon(second);
        await apply(namespace, [deployment("web"), service()]);
      }
      const before = await namespace.snapshot();
      const firstIsClosed = await cordon(first);
      await using _ = firstIsClosed;
      const expose = ["--expose", `${laptop.demo.port}:80`];
      await using session = laptop.start([verb, "web", ...expose, ...args]);
      await session.ready();
      await answers(namespace, /^laptop$/, ...headers);
      assert.deepEqual([...new Set(await ourNodes(namespace))], [second]);
      await firstIsClosed[Symbol.asyncDispose]();
      if (isApart) {
        await using _ = await cordon(second);
        const pod = ["pod", "-l", "kt-role=shadow-mesh"];
        succeeded(await namespace.kubectl(["delete", ...pod]));
        await eventually("the Shadow Pod is on the other node", async () => {
          const placed = (await ourNodes(namespace)).sort();
          return placed.join() === [first, second].join();
        });
        await answers(namespace, /^laptop$/, ...headers);
      }

      const exec = (words: string[], options?: CommandOptions) =>
        execOn(namespace, first, words, options);
      const log = await startRequestLog({ exec }, 60, { connectSeconds: 0.3 });
      await eventually(
        "the log has begun",
        async () => (await log.soFar()).includes("pod="),
      );
      await using node = await cutOff();
      const cutAt = performance.now();
      await eventually(
        "the laptop answers again",
        async () => await answer(namespace, first, ...headers) === "laptop",
      );
      const againMs = Math.round(performance.now() - cutAt);
      await node.end();
      await log.end();
      const requests = await log.read();
      const gaps = gapsOf(requests);
      console.log(
        `${what}: nothing answered for ${gaps} s; by the laptop again after ${againMs} ms`,
      );
      assert.ok(gaps.length > 0, "the node that was cut off had served");
      assert.ok(Math.max(...gaps) <= 5, `nothing answered for ${gaps} s`);
      assert.equal((await session.stop()).code, 0);
      await answers(namespace, /^web-/);
      await assertNoTrace({ namespace, laptop, before });
    },
  });
}

Deno.test({
  name:
    "mesh: a drain of the router's node while nobody is there costs no request, as there is room on the other",
  ignore,
  async fn() {
    const cluster = await openTestCluster();
    await using namespace = await cluster.namespace();
    // with a pod on either node, the router may run on either
    const both = [deployment("web", first), deployment("other", second)];
    await apply(namespace, [...both, service()]);
    await using laptop = await Laptop.open(cluster, namespace);
    const before = await namespace.snapshot();
    const closed = await cordon(first);
    await using _ = closed;
    const expose = ["--expose", `${laptop.demo.port}:80`];
    await using mesh = laptop.start(["mesh", "web", ...expose, ...MARK]);
    await mesh.ready();
    await mesh.stop("SIGKILL");
    await closed[Symbol.asyncDispose]();
    await answers(namespace, /^(web|other)-/);

    let isDraining = true;
    const seen: string[] = [];
    const asking = (async () => {
      while (isDraining) seen.push(await answer(namespace, first));
    })();
    await using __ = await cordon(second); // undone where the drain fails
    const ours = ["--pod-selector", "kt-role=router", "--timeout=60s"];
    const drain = ["drain", second, "--force", "--delete-emptydir-data"];
    const drained = await cluster.kubectl([...drain, ...ours], {
      timeout: 70_000,
    });
    isDraining = false;
    await asking;
    succeeded(drained);
    const lost = seen.filter((one) => !/^(web|other)-/.test(one));
    console.log(`${seen.length} requests while the node was drained`);
    assert.ok(seen.length > 20);
    assert.deepEqual(lost, []);
    const get = ["get", "pods", "-l", "kt-role=router", "-o", "json"];
    const { items } = JSON.parse(succeeded(await namespace.kubectl(get)));
    assert.deepEqual(
      items.map(({ spec }: { spec: { nodeName: string } }) => spec.nodeName),
      [first],
    );
    const cleaned = await laptop.run(["clean", "--thresholdInMinus", "0"]);
    assert.equal(cleaned.code, 0, cleaned.stdout);
    await answers(namespace, /^(web|other)-/);
    await assertNoTrace({ namespace, laptop, before });
  },
});

Deno.test({
  name:
    "our pod follows the workload to the only node that it may run on, in spite of that node's taint",
  ignore,
  async fn() {
    const cluster = await openTestCluster();
    await using namespace = await cluster.namespace();
    const taint = { key: `only-${namespace.name}`, effect: "NoSchedule" };
    const mark = `${taint.key}:${taint.effect}`;
    succeeded(await cluster.kubectl(["taint", "node", second, mark]));
    try {
      const web = deployment("web", second);
      Object.assign(web.spec.template.spec, {
        tolerations: [{ ...taint, operator: "Exists" }],
      });
      await apply(namespace, [web, service()]);
      await using laptop = await Laptop.open(cluster, namespace);
      const expose = ["--expose", `${laptop.demo.port}:80`];
      await using exchange = laptop.start(["exchange", "web", ...expose]);
      await exchange.ready();
      assert.deepEqual(await ourNodes(namespace), [second]);
      await answers(namespace, /^laptop$/);
      assert.equal((await exchange.stop()).code, 0);
    } finally {
      succeeded(await cluster.kubectl(["taint", "node", second, `${mark}-`]));
    }
  },
});

Deno.test({
  name:
    "a Service whose requests stay on their node is taken where its pods are on one node, and refused where they are on two",
  ignore,
  async fn() {
    const cluster = await openTestCluster();
    await using namespace = await cluster.namespace();
    const local = service({ internalTrafficPolicy: "Local" });
    const two = deployment("other", first);
    await apply(namespace, [deployment("web", second), two, local]);
    await using laptop = await Laptop.open(cluster, namespace);
    const expose = ["--expose", `${laptop.demo.port}:80`];
    const before = await namespace.snapshot();
    for (const { verb, args } of verbs) {
      const { error, code } = await laptop.run(
        [verb, "web", ...expose, ...args],
      );
      assert.equal(error?.["code"], "SERVICE_LOCAL_TRAFFIC");
      assert.notEqual(code, 0);
    }
    await assertNoTrace({ namespace, laptop, before });

    succeeded(
      await namespace.kubectl(["delete", "deployment", "other", "--wait"]),
    );
    await eventually("its pod is gone", async () => {
      const get = ["get", "pods", "-l", "name=other", "-o", "name"];
      return succeeded(await namespace.kubectl(get)) === "";
    });
    await using exchange = laptop.start(["exchange", "web", ...expose]);
    await exchange.ready();
    assert.deepEqual(await ourNodes(namespace), [second]);
    await eventually(
      "the node's own requests come",
      async () => await answer(namespace, second) === "laptop",
    );
    assert.equal(await answer(namespace, first), "none"); // as without us
    assert.equal((await exchange.stop()).code, 0);
  },
});

Deno.test({
  name: `connect reaches the pods of both nodes${obstacle ?? ""}`,
  ignore: ignore || obstacle !== undefined,
  async fn(t) {
    await using lab = await ConnectLab.open((namespace) =>
      apply(namespace, [
        ...[deployment("web", first), deployment("other", second)],
        service(),
      ])
    );
    const addresses = await Promise.all(
      ["web", "other"].map((name) => lab.podIp(`name=${name}`)),
    );
    for (const mode of ["tun2socks", "sshuttle"]) {
      await t.step(mode, async () => {
        await using connect = await lab.connect("--mode", mode);
        const seen = await Promise.all(
          addresses.map((address) => lab.curl(`http://${address}:8080/`)),
        );
        assert.match(seen[0]!, /pod=web-/);
        assert.match(seen[1]!, /pod=other-/);
        assert.equal((await connect.stop()).code, 0);
      });
    }
  },
});
