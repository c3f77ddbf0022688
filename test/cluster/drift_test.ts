// Somebody deploys the Service anew while it is exchanged: the traffic comes back to the laptop, and
// their version is what remains in the end.
import assert from "node:assert/strict";
import { connectKube } from "../../src/kube/connect_kube.ts";
import { SERVICES } from "../../src/kube/resources.ts";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import {
  answerOf,
  assertNoTrace,
  eventually,
  Laptop,
  reaches,
} from "./laptop.ts";

interface Service {
  metadata: { uid: string; annotations?: Record<string, string> };
  spec: {
    selector: Record<string, string>;
    clusterIP: string;
    clusterIPs?: string[];
  };
}

async function readService(
  namespace: TestNamespace,
  name = "web",
): Promise<Service> {
  return await namespace.request("GET", `services/${name}`);
}

function manifest(selector: Record<string, string>): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", labels: { app: "web" } },
    spec: {
      selector,
      ports: [
        { name: "http", port: 80, targetPort: "http", protocol: "TCP" },
        { name: "echo", port: 9000, targetPort: 9000, protocol: "TCP" },
      ],
    },
  });
}

async function patch(
  namespace: TestNamespace,
  type: string,
  body: unknown,
): Promise<void> {
  const args = ["patch", "service/web", `--type=${type}`];
  succeeded(await namespace.kubectl([...args, "-p", JSON.stringify(body)]));
}

const original = { app: "web" };
const newest = { app: "web", tier: "front" };
const goneShadow = {
  "kt-role": "shadow-exchange",
  "kt-target": "GoneGoneGoneGoneGone",
};

const drifts: {
  title: string;
  drift: (namespace: TestNamespace) => Promise<void>;
  /** The selector that the user means now. */
  meant: Record<string, string>;
  /** The Service is another object. */
  isNew?: boolean;
}[] = [
  {
    title: "the original manifest is applied again",
    drift: (namespace) => namespace.applyDemo(),
    meant: original,
  },
  {
    title: "a manifest with another selector is applied",
    drift: (namespace) => namespace.apply(manifest(newest)),
    meant: newest,
  },
  {
    title: "a label is added to the selector by a merge patch",
    drift: (namespace) =>
      patch(namespace, "merge", { spec: { selector: newest } }),
    meant: newest,
  },
  {
    title: "the selector is replaced by a patch",
    drift: (namespace) =>
      patch(namespace, "json", [{
        op: "replace",
        path: "/spec/selector",
        value: newest,
      }]),
    meant: newest,
  },
  {
    title: "the Service is replaced with kubectl replace",
    drift: async (namespace) => {
      const { clusterIP, clusterIPs } = (await readService(namespace)).spec;
      const replacement = JSON.parse(manifest(newest));
      Object.assign(replacement.spec, { clusterIP, clusterIPs });
      const result = await namespace.kubectl(["replace", "-f", "-"], {
        stdin: JSON.stringify(replacement),
      });
      succeeded(result);
    },
    meant: newest,
  },
  {
    title: "our annotations are removed",
    drift: async (namespace) => {
      succeeded(
        await namespace.kubectl(["annotate", "service/web", "kt-selector-"]),
      );
    },
    meant: original,
  },
  {
    title:
      "a manifest with another selector is applied, and then our annotations are removed",
    drift: async (namespace) => {
      const kept = async () =>
        (await readService(namespace)).metadata.annotations?.["kt-selector"];
      await namespace.apply(manifest(newest));
      const isNewest = async () => (await kept())?.includes("front") ?? false;
      await eventually("it is switched again", isNewest);
      succeeded(
        await namespace.kubectl(["annotate", "service/web", "kt-selector-"]),
      );
      const isThere = async () => await kept() !== undefined;
      await eventually("it is switched once more", isThere);
    },
    meant: newest,
  },
  {
    title: "the Service is deleted and made again",
    drift: async (namespace) => {
      succeeded(await namespace.kubectl(["delete", "service/web"]));
      await namespace.apply(manifest(newest));
    },
    meant: newest,
    isNew: true,
  },
  {
    title:
      "another ktctl, whose pod is gone, sends the Service to that pod again",
    drift: (namespace) =>
      patch(namespace, "json", [{
        op: "replace",
        path: "/spec/selector",
        value: goneShadow,
      }]),
    meant: original,
  },
  {
    title:
      "another ktctl, whose pod is gone, writes its selector into kt-selector as well",
    drift: (namespace) =>
      patch(namespace, "json", [{
        op: "replace",
        path: "/spec/selector",
        value: goneShadow,
      }, {
        op: "replace",
        path: "/metadata/annotations/kt-selector",
        value: JSON.stringify(goneShadow),
      }]),
    meant: original,
  },
];

/** As in the demo, whatever was done to it. */
async function makeAnew(namespace: TestNamespace): Promise<void> {
  succeeded(await namespace.kubectl(["delete", "service/web"]));
  await namespace.apply(manifest(original));
}

Deno.test("when the Service is changed meanwhile, the traffic comes to the laptop again, and what was meant remains", async (t) => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  // both selectors find the original pods
  const labels = { spec: { template: { metadata: { labels: newest } } } };
  const body = JSON.stringify(labels);
  succeeded(await namespace.kubectl(["patch", "deployment/web", "-p", body]));
  const rollout = ["rollout", "status", "deployment/web", "--timeout=120s"];
  succeeded(await namespace.kubectl(rollout));
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  const expose = ["--expose", `${laptop.demo.port}:80`];
  for (const { title, drift, meant, isNew } of drifts) {
    await t.step(title, async () => {
      const before = await namespace.snapshot();
      const { uid } = (await readService(namespace)).metadata;
      await using exchange = laptop.start(["exchange", "web", ...expose]);
      await exchange.ready();
      await reaches(client);

      await drift(namespace);
      await exchange.event((event) => event["code"] === "SERVICE_DRIFTED");
      await eventually("the traffic comes to the laptop again", async () => {
        for (let i = 0; i < 5; i++) {
          if (await answerOf(client) !== "laptop") return false;
        }
        return true;
      });
      const during = await readService(namespace);
      assert.deepEqual(Object.keys(during.spec.selector).sort(), [
        "kt-role",
        "kt-target",
      ]);
      assert.deepEqual(
        JSON.parse(during.metadata.annotations!["kt-selector"]!),
        meant,
      );
      const stuntman = await readService(namespace, "web-kt-stuntman");
      assert.deepEqual(stuntman.spec.selector, meant);

      assert.equal((await exchange.stop()).code, 0);
      const after = await readService(namespace);
      assert.deepEqual(after.spec.selector, meant);
      const keys = Object.keys(after.metadata.annotations ?? {});
      assert.deepEqual(keys.filter((key) => /^kt-|ktctl/.test(key)), []);
      assert.equal(after.metadata.uid === uid, !isNew);
      assert.deepEqual(laptop.journals(), []);
      if (meant === original) {
        await assertNoTrace({ namespace, laptop, before });
      }
      await reaches(client, { name: "web-" });
      await makeAnew(namespace);
    });
  }
});

Deno.test("a patch of one key is meant of that key, a deleted Stuntman Service is made again, and a changed port ends the session", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  const client = await namespace.client();
  const patchPod = async (path: string, labels: Record<string, string>) => {
    const spec = { template: { metadata: { labels } } };
    const body = JSON.stringify({ spec });
    succeeded(await namespace.kubectl(["patch", path, "-p", body]));
    const args = ["rollout", "status", path, "--timeout=120s"];
    succeeded(await namespace.kubectl(args));
  };
  const blue = { app: "web", version: "v1" };
  const green = { app: "web", version: "v2" };
  await patchPod("deployment/web", green);
  await namespace.apply(manifest(blue));
  await using exchange = laptop.start([
    "exchange",
    "web",
    "--expose",
    `${laptop.demo.port}:80`,
  ]);
  await exchange.ready();
  const stuntman = () => readService(namespace, "web-kt-stuntman");
  const { clusterIP } = (await stuntman()).spec;

  await patch(namespace, "strategic", {
    spec: { selector: { version: "v2" } },
  });
  await exchange.event((event) => event["code"] === "SERVICE_DRIFTED");
  assert.deepEqual((await stuntman()).spec.selector, green);
  const kept = (await readService(namespace)).metadata.annotations;
  assert.deepEqual(JSON.parse(kept!["kt-selector"]!), green);
  await reaches(client);

  const { uid } = (await stuntman()).metadata;
  succeeded(await namespace.kubectl(["delete", "service/web-kt-stuntman"]));
  await exchange.event((event) => event["code"] === "STUNTMAN_DELETED");
  const again = await stuntman();
  assert.notEqual(again.metadata.uid, uid);
  assert.deepEqual([again.spec.clusterIP, again.spec.selector], [
    clusterIP,
    green,
  ]);
  const keepers = ["get", "replicasets", "-l", "control-by=kt", "-o"];
  await eventually("what keeps the Shadow Pod is there anew", async () => {
    const args = [...keepers, "jsonpath={.items[*].metadata.ownerReferences}"];
    const owners = succeeded(await namespace.kubectl(args));
    return owners.includes(again.metadata.uid);
  });
  await reaches(client);

  await patch(namespace, "json", [
    { op: "replace", path: "/spec/ports/0/targetPort", value: 8081 },
  ]);
  const result = await exchange.ended();
  assert.equal(result.code, 7, result.stdout);
  assert.equal(result.error?.["code"], "SERVICE_PORTS_CHANGED");
  assert.match(
    result.error!["message"],
    /port 80 leads to 8081 in place of http/,
  );
  const after = await readService(namespace);
  assert.deepEqual(after.spec.selector, green);
  const keys = Object.keys(after.metadata.annotations ?? {});
  assert.deepEqual(keys.filter((key) => /^kt-|ktctl/.test(key)), []);
  const left = await namespace.kubectl([
    ...["get", "pods,services,replicasets,secrets,configmaps"],
    ...["-l", "control-by=kt", "-o", "name"],
  ]);
  assert.equal(succeeded(left), "");
  assert.deepEqual(laptop.journals(), []);
});

Deno.test("a Service that is deleted meanwhile and does not come back is no obstacle to leaving", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  await using exchange = laptop.start([
    "exchange",
    "web",
    "--expose",
    `${laptop.demo.port}:80`,
  ]);
  await exchange.ready();
  succeeded(await namespace.kubectl(["delete", "service/web"]));
  await exchange.event((event) => event["code"] === "SERVICE_DELETED");
  const result = await exchange.stop();
  assert.equal(result.code, 0, result.stdout);
  const left = await namespace.kubectl([
    "get",
    "pods,services,secrets,configmaps",
    "-l",
    "control-by=kt",
    "-o",
    "name",
  ]);
  assert.equal(succeeded(left), "");
  assert.deepEqual(laptop.journals(), []);
});

Deno.test("a Service that another ktctl takes for a pod that lives is left to it: the session ends and says so", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  const theirs = { "kt-role": "shadow-exchange", "kt-target": "TheirsTheirs" };
  await namespace.apply(JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "theirs",
      labels: theirs,
      annotations: { "kt-user": "alice" },
    },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{
        name: "standalone",
        image: "localhost/busybox:1",
        imagePullPolicy: "IfNotPresent",
        command: ["sleep", "2147483647"],
      }],
    },
  }));
  succeeded(
    await namespace.kubectl(["wait", "--for=condition=Ready", "pod/theirs"]),
  );
  await using exchange = laptop.start([
    "exchange",
    "web",
    "--expose",
    `${laptop.demo.port}:80`,
  ]);
  await exchange.ready();
  await patch(namespace, "json", [{
    op: "replace",
    path: "/spec/selector",
    value: theirs,
  }]);
  const result = await exchange.ended();
  assert.equal(result.code, 7, result.stdout);
  assert.equal(result.error?.["code"], "SERVICE_TAKEN_AWAY");
  assert.match(result.error!["message"], /was taken by alice/);
  const { spec, metadata } = await readService(namespace);
  assert.deepEqual(spec.selector, theirs);
  // alice's ktctl restores by it
  assert.deepEqual(
    JSON.parse(metadata.annotations!["kt-selector"]!),
    original,
  );
  assert.deepEqual(laptop.journals(), []);
});

Deno.test("a Service that leads to another ktctl's pod at the end is restored once that pod is gone", async () => {
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
  await exchange.stop("SIGKILL");
  // its watcher came last
  await patch(namespace, "json", [{
    op: "replace",
    path: "/spec/selector",
    value: goneShadow,
  }]);
  const cleaned = await laptop.run(["clean"]);
  assert.equal(cleaned.code, 0, cleaned.stdout);
  await assertNoTrace({ namespace, laptop, before });
  await reaches(client, { name: "web-" });
});

Deno.test("a controller that keeps changing the Service back is answered with growing pauses and one warning", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  await using exchange = laptop.start([
    "exchange",
    "web",
    "--expose",
    `${laptop.demo.port}:80`,
  ]);
  await exchange.ready();
  const { kubeconfig } = cluster;
  await using kube = await connectKube({
    kubeconfig,
    namespace: namespace.name,
  });
  const watch = kube.watch(SERVICES, {
    fieldSelector: "metadata.name=web",
    signal: AbortSignal.timeout(60_000),
  });
  const selector = { "kt-role": null, "kt-target": null, ...original };
  const switchedAt: number[] = [];
  let isOurs = false;
  for await (const event of watch) {
    if (event.type === "SYNCED") continue;
    const wasOurs = isOurs;
    isOurs = event.object.spec.selector["kt-role"] !== undefined;
    if (wasOurs || !isOurs) continue;
    switchedAt.push(performance.now());
    if (switchedAt.length === 5) break;
    await kube.patch({ resource: SERVICES, name: "web" }, {
      spec: { selector },
    });
  }
  // the first is the start's own, and the second comes at once
  const pausesMs = switchedAt.slice(2).map((ms, at) =>
    Math.round(ms - switchedAt[at + 1]!)
  );
  // on a busy machine one is heard of late, and the next may be sooner after it
  assert.ok(
    [500, 1_000, 2_000].every((ms, at) => pausesMs[at]! > ms * 0.6),
    `paused for ${pausesMs} ms`,
  );
  const told = exchange.events.filter(({ code }) => code === "SERVICE_DRIFTED");
  assert.equal(told.length, 1);
  const result = await exchange.stop();
  assert.equal(result.code, 0, result.stdout);
  const { spec } = await readService(namespace);
  assert.deepEqual(spec.selector, original);
});

for (const verb of ["exchange", "mesh"]) {
  Deno.test(`while somebody keeps merging a label into the selector, a Service leads to its own pods in each pause (${verb})`, async () => {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo();
    await using laptop = await Laptop.open(cluster, namespace);
    await using session = laptop.start([
      verb,
      "web",
      "--expose",
      `${laptop.demo.port}:80`,
    ]);
    await session.ready();
    const meant = { app: "web", tier: "front" };
    const { kubeconfig } = cluster;
    await using kube = await connectKube({
      kubeconfig,
      namespace: namespace.name,
    });
    const watch = kube.watch(SERVICES, {
      fieldSelector: "metadata.name=web",
      signal: AbortSignal.timeout(60_000),
    });
    let merges = 0;
    let deadSince: number | undefined;
    const deadMs: number[] = [];
    // the pauses are 0, 0.5, 1 and 2 s
    for await (const event of watch) {
      if (event.type === "SYNCED") continue;
      const { selector } = event.object.spec;
      const isOurs = selector["kt-role"] !== undefined;
      if (isOurs && selector["tier"] !== undefined) {
        deadSince = performance.now();
        continue;
      }
      if (deadSince !== undefined) {
        deadMs.push(performance.now() - deadSince);
        deadSince = undefined;
      }
      if (isOurs) {
        const body = { spec: { selector: { tier: "front" } } };
        await kube.patch({ resource: SERVICES, name: "web" }, body);
        merges++;
      } else {
        assert.deepEqual(selector, meant);
        if (merges === 4) break;
      }
    }
    assert.equal(merges, 4);
    assert.ok(deadMs.every((ms) => ms < 1_000), `no pod for ${deadMs} ms`);
    const result = await session.stop();
    assert.equal(result.code, 0, result.stdout);
    assert.deepEqual((await readService(namespace)).spec.selector, meant);
  });
}

Deno.test("a Deployment that is made anew while it is exchanged by scaling is told of, and left as it is", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await using laptop = await Laptop.open(cluster, namespace);
  const read = async (path: string) => {
    const args = ["get", "deployment/web", "-o", `jsonpath={${path}}`];
    return succeeded(await namespace.kubectl(args));
  };
  const json = ["get", "deployment/web", "-o", "json"];
  const manifest = JSON.parse(succeeded(await namespace.kubectl(json)));
  const { name, labels } = manifest.metadata;
  manifest.metadata = { name, labels };
  manifest.spec.replicas = 1;
  await using session = laptop.start([
    "exchange",
    "web",
    "--mode",
    "scale",
    "--keepReplicas",
    "0",
    "--expose",
    `${laptop.demo.port}:80`,
  ]);
  await session.ready();
  succeeded(await namespace.kubectl(["delete", "deployment/web"]));
  const stdin = JSON.stringify(manifest);
  succeeded(await namespace.kubectl(["create", "-f", "-"], { stdin }));
  const anew = await read(".metadata.uid");
  await session.event(({ code }) => code === "DEPLOYMENT_DELETED");
  await session.event(({ code }) => code === "DEPLOYMENT_REPLACED");
  const { code, stdout } = await session.stop();
  assert.equal(code, 0, stdout);
  assert.equal(await read(".metadata.uid"), anew);
  assert.equal(await read(".spec.replicas"), "1");
  assert.equal(await read(".metadata.generation"), "1");
});
