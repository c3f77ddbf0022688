// `ktctl clean` on what the original ktctl leaves behind.
import assert from "node:assert/strict";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import type { KtctlResult } from "./ktctl_process.ts";
import {
  eventually,
  eventuallyByRuns,
  Laptop,
  reaches,
  untouched,
} from "./laptop.ts";
import { applyWorkloads } from "./workloads.ts";
import {
  connectLeftover,
  exchangeLeftover,
  lockLeftover,
  meshLeftover,
  previewLeftover,
  scaleLeftover,
} from "./original_leftovers.ts";

const SHADOWED = [
  "kt-connect-shadow-abcde",
  "old-preview-kt-abcde",
  "exchanged-kt-exchange-abcde",
  "meshed-kt-mesh-blue",
  "scaled-kt-exchange-abcde",
];

/** What `clean` has to say of {@link leaveBehind}, in whatever order within a group. */
const ACTIONS = {
  restore: [
    'restore the selector of Service "exchanged" to app=exchanged,tier=a',
    'restore the selector of Service "deployed" to app=deployed,tier=a',
    'restore the selector of Service "meshed" to app=meshed,tier=a',
    'restore the selector of Service "orphaned" to app=orphaned,tier=a',
    'scale Deployment "scaled" back to 2',
    'remove the expired lock of Service "locked"',
  ],
  delete: [
    'delete Deployment "deployed-kt-exchange-abcde"',
    ...SHADOWED.map((name) => `delete Pod "${name}"`),
    'delete Pod "meshed-kt-router"',
    ...SHADOWED.map((name) => `delete ConfigMap "${name}"`),
    'delete ConfigMap "deployed-kt-exchange-abcde"',
    'delete Service "meshed-kt-stuntman"',
    'delete Service "meshed-kt-mesh-blue"',
    'delete Service "old-preview"',
  ],
};

async function leaveBehind(namespace: TestNamespace): Promise<void> {
  await Promise.all([
    exchangeLeftover(namespace, "exchanged"),
    exchangeLeftover(namespace, "deployed", { asDeployment: true }),
    exchangeLeftover(namespace, "orphaned", { podIsGone: true }),
    scaleLeftover(namespace, "scaled", {
      matchLabels: { app: "scaled", tier: "a" },
      replicas: 2,
    }),
    meshLeftover(namespace, "meshed", {
      selector: { app: "meshed", tier: "a" },
    }),
    previewLeftover(namespace, "old-preview"),
    connectLeftover(namespace),
    lockLeftover(namespace, "locked", 200),
  ]);
}

function messages({ events }: KtctlResult, state: string): string[] {
  return events.filter((event) =>
    event.event === "action" && event["state"] === state
  ).map((event) => event["message"]);
}

Deno.test("clean takes back what dead sessions of the original ktctl left, and nothing else", async (t) => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await using laptop = await Laptop.open(cluster, namespace);
  await applyWorkloads(namespace, [
    "exchanged",
    "deployed",
    "orphaned",
    "scaled",
    "meshed",
    "locked",
    "live-exchanged",
    "live-scaled",
    "live-meshed",
    "live-locked",
  ]);
  const live = { ageSeconds: 0, user: "dora" };
  await exchangeLeftover(namespace, "live-exchanged", live);
  await scaleLeftover(namespace, "live-scaled", {
    matchLabels: { app: "live-scaled", tier: "a" },
    replicas: 2,
    ...live,
  });
  await meshLeftover(namespace, "live-meshed", {
    selector: { app: "live-meshed", tier: "a" },
    ...live,
  });
  await previewLeftover(namespace, "live-preview", live);
  await lockLeftover(namespace, "live-locked", 0);
  const before = await namespace.snapshot();
  await leaveBehind(namespace);
  const left = await namespace.snapshot();

  await t.step(
    "--dryRun says what would be done, and does nothing",
    async () => {
      const result = await laptop.run(["clean", "--dryRun"]);
      assert.equal(result.code, 0, result.stdout + result.stderr);
      const planned = messages(result, "planned");
      const would = (actions: string[]) =>
        actions.map((action) => `would ${action}`).sort();
      const restores = ACTIONS.restore.length;
      assert.deepEqual(
        planned.slice(0, restores).sort(),
        would(ACTIONS.restore),
      );
      assert.deepEqual(planned.slice(restores).sort(), would(ACTIONS.delete));
      assert.deepEqual(messages(result, "done"), []);
      await untouched(namespace, left);
    },
  );

  await t.step(
    "it restores before it deletes, and leaves all as it was before",
    async () => {
      const result = await laptop.run(["clean"]);
      assert.equal(result.code, 0, result.stdout + result.stderr);
      const done = messages(result, "done");
      const restores = ACTIONS.restore.length;
      assert.deepEqual(
        done.slice(0, restores).sort(),
        ACTIONS.restore.toSorted(),
      );
      assert.deepEqual(done.slice(restores).sort(), ACTIONS.delete.toSorted());
      await untouched(namespace, before);
    },
  );

  await t.step("after that there is nothing to clean", async () => {
    const result = await laptop.run(["clean"]);
    assert.equal(result.code, 0, result.stdout + result.stderr);
    const [closed] = result.events;
    assert.equal(result.events.length, 1);
    assert.match(closed!["reason"], /^Nothing to clean in namespace "/);
    await untouched(namespace, before);
  });
});

Deno.test("clean takes a restored count or selector from the user's hand for the user's own", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await using laptop = await Laptop.open(cluster, namespace);
  await applyWorkloads(namespace, ["scaled", "exchanged"]);
  await scaleLeftover(namespace, "scaled", {
    matchLabels: { app: "scaled", tier: "a" },
    replicas: 2,
  });
  await exchangeLeftover(namespace, "exchanged");
  const byHand = [
    ["scale", "deployment/scaled", "--replicas=1"],
    [
      "patch",
      "service/exchanged",
      "--type=json",
      "-p",
      JSON.stringify([{
        op: "replace",
        path: "/spec/selector",
        value: { app: "mine" },
      }]),
    ],
  ];
  for (const args of byHand) succeeded(await namespace.kubectl(args));
  const result = await laptop.run(["clean"]);
  assert.equal(result.code, 0, result.stdout + result.stderr);
  const read = async (path: string, of: string) =>
    (await namespace.kubectl(["get", of, "-o", `jsonpath={${path}}`])).stdout;
  assert.equal(await read(".spec.replicas", "deployment/scaled"), "1");
  assert.equal(
    await read(".spec.selector", "service/exchanged"),
    '{"app":"mine"}',
  );
  assert.equal(
    await read(".metadata.annotations.kt-selector", "service/exchanged"),
    "",
  );
});

Deno.test("clean leaves fresh heartbeats alone, up to the threshold that is asked for", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await using laptop = await Laptop.open(cluster, namespace);
  await applyWorkloads(namespace, ["exchanged"]);
  const before = await namespace.snapshot();
  await exchangeLeftover(namespace, "exchanged", { ageSeconds: 200 });
  const left = await namespace.snapshot();
  for (const args of [["clean"], ["clean", "--thresholdInMinus", "5"]]) {
    const result = await laptop.run(args);
    assert.equal(result.code, 0, result.stdout);
    assert.deepEqual(messages(result, "done"), []);
    await untouched(namespace, left);
  }
  const result = await laptop.run(["clean", "--thresholdInMinus", "3"]);
  assert.equal(result.code, 0, result.stdout);
  assert.equal(messages(result, "done").length, 3, result.stdout);
  await untouched(namespace, before);
});

Deno.test("clean leaves alone what other programs made, and what never had a heartbeat", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await using laptop = await Laptop.open(cluster, namespace);
  const metadata = [
    {
      name: "web-kt-exchange-mine",
      annotations: { "kt-last-heart-beat": "1000000000" },
    },
    { name: "never-beat", labels: { "control-by": "kt" } },
  ];
  for (const one of metadata) {
    await namespace.apply(
      JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: one }),
    );
  }
  const before = await namespace.snapshot();
  const result = await laptop.run(["clean", "--thresholdInMinus", "0"]);
  assert.equal(result.code, 0, result.stdout);
  assert.match(result.stdout, /Nothing to clean/);
  await untouched(namespace, before);
});

Deno.test("clean takes back a session of ours that died, from another laptop; its own finds nothing more to do", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  await using other = await Laptop.open(cluster, namespace, "other");
  const before = await namespace.snapshot();
  const expose = `${laptop.demo.port}:80`;
  await using session = laptop.start(["exchange", "web", "--expose", expose]);
  await session.ready();
  await reaches(client);
  await session.stop("SIGKILL");
  assert.equal(laptop.journals().length, 1);
  await eventuallyByRuns("the dead session is seen as such", async () => {
    const result = await other.run(["clean", "--thresholdInMinus", "0"]);
    assert.equal(result.code, 0, result.stdout);
    return messages(result, "done").length > 0;
  });
  await untouched(namespace, before);
  await reaches(client, { name: "web-" });
  const own = await laptop.run(["clean"]);
  assert.equal(own.code, 0, own.stdout);
  await untouched(namespace, before);
  assert.deepEqual(laptop.journals(), []);
});

/** As earlier versions of ktctl kept the count, by one write of one program. */
function scaleByAnnotation(namespace: TestNamespace) {
  const annotations = {
    "ktctl.dev/replicas": "2",
    "ktctl.dev/session": "AbCdEfGhIjKlMnOpQrSt",
    "ktctl.dev/held-by": "alice",
    "ktctl.dev/held-since": "2026-01-01T00:00:00.000Z",
  };
  const patch = { metadata: { annotations }, spec: { replicas: 0 } };
  return patchWeb(namespace, patch);
}

async function patchWeb(namespace: TestNamespace, patch: unknown) {
  const words = ["patch", "deployment", "web", "--type=merge", "-p"];
  succeeded(await namespace.kubectl([...words, JSON.stringify(patch)]));
}

Deno.test("clean obeys what an earlier version annotated on a Deployment, but not what a rollback brings back of it", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo({ replicas: 2 });
  await using laptop = await Laptop.open(cluster, namespace);
  const clean = async (expected: string) => {
    const result = await laptop.run(["clean"]);
    assert.equal(result.code, 0, result.stdout + result.stderr);
    assert.deepEqual(messages(result, "done"), [expected]);
  };
  const web = async () =>
    JSON.parse(
      succeeded(
        await namespace.kubectl(["get", "deployment", "web", "-o", "json"]),
      ),
    );
  const kubectl = async (...args: string[]) =>
    succeeded(await namespace.kubectl(args));

  await scaleByAnnotation(namespace);
  await eventually("the Deployment's controller has copied them", async () => {
    const { items } = JSON.parse(
      await kubectl("get", "replicasets", "-o", "json"),
    );
    return items[0].metadata.annotations["ktctl.dev/replicas"] === "2";
  });
  await clean('scale Deployment "web" back to 2');
  assert.equal((await web()).spec.replicas, 2);

  const metadata = { annotations: { tried: "something" } };
  await patchWeb(namespace, { spec: { template: { metadata } } });
  await eventually("the Deployment has two ReplicaSets", async () => {
    const names = await kubectl("get", "replicasets", "-o", "name");
    return names.trim().split("\n").length === 2;
  });
  await kubectl("rollout", "undo", "deployment/web");
  await kubectl("scale", "deployment/web", "--replicas=0");
  assert.equal((await web()).metadata.annotations["ktctl.dev/replicas"], "2");
  await clean(
    'remove what a rollback brought back of a past exchange from Deployment "web"',
  );
  const { metadata: { annotations }, spec } = await web();
  assert.equal(spec.replicas, 0);
  assert.equal(annotations["ktctl.dev/replicas"], undefined);
});
