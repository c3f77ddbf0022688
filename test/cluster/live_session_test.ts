// A live session keeps what it holds against `clean` and `recover`, and lets go when it is told to.
import assert from "node:assert/strict";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import type { KtctlProcess } from "./ktctl_process.ts";
import {
  assertNoTrace,
  eventuallyByRuns,
  Laptop,
  reaches,
  untouched,
} from "./laptop.ts";
import { restoreService } from "./original_leftovers.ts";

const modes = [
  { title: "exchange", args: [] },
  {
    title: "exchange with a shadow Deployment",
    args: ["--useShadowDeployment"],
  },
  { title: "exchange (scale)", args: ["--mode", "scale"] },
  {
    title: "exchange (scale to 0) with a shadow Deployment",
    args: ["--mode", "scale", "--keepReplicas", "0", "--useShadowDeployment"],
  },
];

function start(
  laptop: Laptop,
  user: string,
  args: readonly string[] = [],
): KtctlProcess {
  const expose = `${laptop.demo.port}:80`;
  const patience = ["--portForwardTimeout", "60"];
  return laptop.start(
    ["exchange", "web", "--expose", expose, ...patience, ...args],
    { user },
  );
}

/** As if the laptop had been asleep for ten minutes, and had just woken up. */
async function ageHeartbeats(namespace: TestNamespace): Promise<void> {
  const old = Math.floor(Date.now() / 1000) - 600;
  succeeded(
    await namespace.kubectl([
      "annotate",
      "pods,deployments,services,configmaps,secrets",
      "-l",
      "control-by=kt",
      `kt-last-heart-beat=${old}`,
      "--overwrite",
    ]),
  );
}

/** The owner ends by itself, told who took the Service; and nothing takes it again. */
async function assertRecovered(
  exchange: KtctlProcess,
  { namespace, laptop, before, says }: {
    namespace: TestNamespace;
    laptop: Laptop;
    before: string;
    says: RegExp;
  },
): Promise<void> {
  const { code, error, events, stdout } = await exchange.ended();
  const errors = events.filter(({ event }) => event === "error");
  assert.deepEqual(
    errors.map((event) => event["code"]),
    ["SERVICE_RECOVERED"],
    stdout,
  );
  assert.equal(code, 7);
  assert.match(error!["message"], says);
  const again = exchange.events.filter(({ event, state }) =>
    event === "link" && state === "up"
  );
  assert.deepEqual(again, [], "it took the Service once more");
  await untouched(namespace, before);
  await assertNoTrace({ namespace, laptop, before });
}

for (const { title, args } of modes) {
  Deno.test(`a live ${title} is left alone by clean and recover, and ends when it is taken over`, async () => {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo({
      replicas: args.includes("scale") ? 2 : 1,
    });
    const client = await namespace.client();
    await using alice = await Laptop.open(cluster, namespace, "alice");
    await using bob = await Laptop.open(cluster, namespace, "bob");
    const before = await namespace.snapshot();
    await using exchange = start(alice, "alice", args);
    await exchange.ready(120_000);
    await reaches(client, { name: "alice" });
    await ageHeartbeats(namespace);
    const taken = await namespace.snapshot();

    for (const verb of [["clean"], ["clean", "--thresholdInMinus", "0"]]) {
      const cleaned = await bob.run(verb, { user: "bob" });
      assert.equal(cleaned.code, 0, cleaned.stdout + cleaned.stderr);
      assert.match(cleaned.events.at(-1)!["reason"], /^Nothing to clean/);
    }
    const refused = await bob.run(["recover", "web"], { user: "bob" });
    assert.equal(refused.error?.["code"], "SERVICE_IN_USE", refused.stdout);
    assert.equal(refused.code, 7);
    assert.match(refused.error!["message"], /alice uses it \(Pod "web-kt-/);
    await untouched(namespace, taken);
    await reaches(client, { name: "alice" });

    const forced = await bob.run(["recover", "web", "--takeOver"], {
      user: "bob",
    });
    assert.equal(forced.code, 0, forced.stdout + forced.stderr);
    await assertRecovered(exchange, {
      namespace,
      laptop: alice,
      before,
      says: /recovered by bob/,
    });
    await reaches(client, { name: "web-" });
  });
}

Deno.test("a live preview is left alone by clean, and its Service stays", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  const client = await namespace.client();
  await using alice = await Laptop.open(cluster, namespace, "alice");
  await using bob = await Laptop.open(cluster, namespace, "bob");
  const before = await namespace.snapshot();
  const expose = `${alice.demo.port}:80`;
  await using preview = alice.start(["preview", "fresh", "--expose", expose]);
  await preview.ready();
  await ageHeartbeats(namespace);
  const cleaned = await bob.run(["clean"], { user: "bob" });
  assert.equal(cleaned.code, 0, cleaned.stdout + cleaned.stderr);
  assert.match(cleaned.events.at(-1)!["reason"], /^Nothing to clean/);
  await reaches(client, { name: "alice", url: "http://fresh/" });

  await preview.stop("SIGKILL");
  // the agent has to notice first that its laptop is gone
  await eventuallyByRuns("clean removes it", async () => {
    const { code, events, stdout } = await bob.run([
      "clean",
      "--thresholdInMinus",
      "0",
    ]);
    assert.equal(code, 0, stdout);
    return events.some(({ event }) => event === "action");
  });
  await untouched(namespace, before);
});

Deno.test("recover of the original ktctl, the Service first and the pod second, ends a live exchange too", async (t) => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using alice = await Laptop.open(cluster, namespace, "alice");
  const before = await namespace.snapshot();
  for (const round of [1, 2, 3]) {
    await t.step(`round ${round}`, async () => {
      await using exchange = start(alice, "alice");
      await exchange.ready(120_000);
      await reaches(client, { name: "alice" });
      await restoreService(namespace, "web", { app: "web" });
      succeeded(
        await namespace.kubectl([
          "delete",
          "pods",
          "-l",
          "kt-role=shadow-exchange",
          "--wait=false",
        ]),
      );
      await assertRecovered(exchange, {
        namespace,
        laptop: alice,
        before,
        says: /by somebody/,
      });
      await reaches(client, { name: "web-" });
    });
  }
});
