// Mode scale keeps a replica (--keepReplicas): nobody asks it while the laptop answers, and it answers
// when the laptop does not.
import assert from "node:assert/strict";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import {
  answerOf,
  assertNoTrace,
  eventually,
  eventuallyByRuns,
  Laptop,
  reaches,
  untouched,
} from "./laptop.ts";
import { gapsOf, type LoggedRequest, startRequestLog } from "./request_log.ts";

const SCALE = ["exchange", "web", "--mode", "scale"];

async function replicasOf(namespace: TestNamespace): Promise<number> {
  const path = "jsonpath={.spec.replicas}";
  return Number(succeeded(
    await namespace.kubectl(["get", "deployment/web", "-o", path]),
  ));
}

/** The pods that were scaled away have ended, and nodes have had the time to see it. */
async function scaledDown(namespace: TestNamespace): Promise<void> {
  const pods = ["get", "pods", "-l", "app=web", "-o", "name"];
  await eventually("one pod is left", async () => {
    const { stdout } = await namespace.kubectl(pods);
    return stdout.trim().split("\n").length === 1;
  }, 60_000);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
}

/** Those from the first to the last that the laptop answered. */
function whileTaken(requests: readonly LoggedRequest[]): LoggedRequest[] {
  const isLaptops = ({ answer }: LoggedRequest) => answer === "laptop";
  return requests.slice(
    requests.findIndex(isLaptops),
    requests.findLastIndex(isLaptops) + 1,
  );
}

Deno.test("while the laptop answers no request reaches the kept replica, and none is lost from start to Ctrl-C", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo({ replicas: 3 });
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const log = await startRequestLog(client, 120);
  await using exchange = laptop.start(
    [...SCALE, "--expose", `${laptop.demo.port}:80`],
  );
  const ready = await exchange.ready();
  assert.match(ready["message"], /"web" keeps 1 of 3 replicas, which answers /);
  assert.equal(ready["keptReplicas"], 1);
  assert.equal(ready["replicas"], 3);
  assert.equal(await replicasOf(namespace), 1);
  const config = "jsonpath={.items[*].metadata.annotations.kt-config}";
  const made = ["get", "pods,deployments", "-l", "control-by=kt", "-o", config];
  assert.equal(
    succeeded(await namespace.kubectl(made)),
    "service=web,app=web,replicas=3", // as the original ktctl reads it
  );
  await reaches(client);
  await scaledDown(namespace);
  await eventually(
    "thirty requests have come here",
    async () => (await log.soFar()).split("pod=laptop").length > 31,
  );
  const start = performance.now();
  const { code, stdout } = await exchange.stop("SIGINT");
  const ms = Math.round(performance.now() - start);
  assert.equal(code, 0, stdout);
  assert.equal(await replicasOf(namespace), 3);
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  await log.end();
  const requests = await log.read();
  const taken = whileTaken(requests);
  const lost = requests.filter(({ answer }) => answer === undefined);
  console.log(
    `${requests.length} requests, ${taken.length} while the laptop had the Service, ` +
      `${lost.length} lost; Ctrl-C took ${ms} ms`,
  );
  assert.deepEqual(taken.filter(({ answer }) => answer !== "laptop"), []);
  assert.match(requests[0]!.answer!, /^web-/);
  assert.match(requests.at(-1)!.answer!, /^web-/);
  assert.deepEqual(lost, []);
  await untouched(namespace, before);
  await assertNoTrace({ namespace, laptop, before });
});

const REPAIRS = [
  { title: "clean on the same laptop", who: "same", args: ["clean"] },
  {
    title: "clean from another laptop",
    who: "other",
    args: ["clean", "--thresholdInMinus", "0"],
  },
  {
    title: "recover from another laptop",
    who: "other",
    args: ["recover", "deploy/web"],
  },
] as const;

for (const { title, who, args } of REPAIRS) {
  Deno.test(`within 5 s of ktctl's death the kept replica answers; ${title} restores replicas and selector, and no request is lost by that`, async () => {
    const cluster = await openTestCluster();
    await using namespace = await cluster.demo({ replicas: 3 });
    // comes first by its name: recover has to find out which one is taken
    const twin = ["expose", "deployment", "web", "--name=twin", "--port=80"];
    succeeded(await namespace.kubectl(twin));
    const client = await namespace.client();
    await using laptop = await Laptop.open(cluster, namespace);
    await using other = await Laptop.open(cluster, namespace, "other");
    const before = await namespace.snapshot();
    await using exchange = laptop.start(
      [...SCALE, "--expose", `${laptop.demo.port}:80`],
    );
    await exchange.ready();
    await reaches(client);
    const log = await startRequestLog(client, 120);
    await eventually(
      "the log has begun",
      async () => (await log.soFar()).includes("laptop"),
    );
    await exchange.stop("SIGKILL");
    const ms = await reaches(client, { name: "web-", withinMs: 5_000 });
    assert.equal(await replicasOf(namespace), 1);

    await eventuallyByRuns("it is found dead, all is restored", async () => {
      const result = await (who === "same" ? laptop : other).run(args);
      if (result.error?.["code"] === "SERVICE_IN_USE") return false;
      assert.equal(result.code, 0, result.stdout + result.stderr);
      return await replicasOf(namespace) === 3;
    });
    await untouched(namespace, before);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await log.end();
    const requests = await log.read();
    const gaps = gapsOf(requests);
    console.log(
      `the kept replica answered ${ms} ms after SIGKILL; gaps of ${
        gaps.map((gap) => gap.toFixed(1)).join(", ") || "no"
      } s in ${requests.length} requests`,
    );
    assert.ok(gaps.length <= 1, `requests were lost later, too: ${gaps}`);
    assert.ok(Math.max(0, ...gaps) < 5, `nothing answered for ${gaps} s`);
    assert.match(await answerOf(client), /^web-/);
  });
}

Deno.test("while nothing listens on the local port the kept replica answers, and the laptop again when something does", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo({ replicas: 2 });
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  const serve = (port: number) =>
    Deno.serve(
      { hostname: "127.0.0.1", port, onListen() {} },
      () => new Response("demo pod=mine\n"),
    );
  let server = serve(0);
  const { port } = server.addr;
  const before = await namespace.snapshot();
  await using exchange = laptop.start([...SCALE, "--expose", `${port}:80`]);
  await exchange.ready();
  await reaches(client, { name: "mine" });
  await scaledDown(namespace);
  await server.shutdown();
  await reaches(client, { name: "web-" });
  for (let i = 0; i < 10; i++) assert.match(await answerOf(client), /^web-/);
  server = serve(port);
  await reaches(client, { name: "mine" });
  assert.equal((await exchange.stop()).code, 0);
  await server.shutdown();
  await untouched(namespace, before);
  await assertNoTrace({ namespace, laptop, before });
});

Deno.test("a Deployment is left as it is where all of its replicas are kept, and where it has none, which is said", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo({ replicas: 2 });
  await using laptop = await Laptop.open(cluster, namespace);
  const expose = ["--expose", `${laptop.demo.port}:80`];
  const generation = async () =>
    succeeded(
      await namespace.kubectl(
        ["get", "deployment/web", "-o", "jsonpath={.metadata.generation}"],
      ),
    );
  const first = await generation();
  const before = await namespace.snapshot();
  await using all = laptop.start([...SCALE, "--keepReplicas", "5", ...expose]);
  const { message } = await all.ready();
  assert.match(message, /"web" keeps 2 of 2 replicas, which answer while/);
  assert.equal((await all.stop()).code, 0);
  assert.equal(await generation(), first);
  await assertNoTrace({ namespace, laptop, before });

  succeeded(
    await namespace.kubectl(["scale", "deployment/web", "--replicas=0"]),
  );
  const empty = await namespace.snapshot();
  await using none = laptop.start([...SCALE, ...expose]);
  const ready = await none.ready();
  assert.match(
    ready["message"],
    /"web" keeps 0 of 0 replicas: nothing answers/,
  );
  const told = none.events.filter(({ code }) => code === "NO_REPLICAS");
  assert.equal(told.length, 1);
  assert.equal((await none.stop()).code, 0);
  assert.equal(await replicasOf(namespace), 0);
  await untouched(namespace, empty);
});

Deno.test("what somebody scales to meanwhile is told of, and left so at the end", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo({ replicas: 3 });
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  await using exchange = laptop.start(
    [...SCALE, "--expose", `${laptop.demo.port}:80`],
  );
  await exchange.ready();
  await reaches(client);
  succeeded(
    await namespace.kubectl(["scale", "deployment/web", "--replicas=2"]),
  );
  await exchange.event(({ code }) => code === "DEPLOYMENT_SCALED");
  for (let i = 0; i < 10; i++) assert.equal(await answerOf(client), "laptop");
  assert.equal((await exchange.stop()).code, 0);
  assert.equal(await replicasOf(namespace), 2);
  await reaches(client, { name: "web-" });
  assert.deepEqual(laptop.journals(), []);
});

Deno.test("the kept replica goes on to answer other Services of the Deployment, and that is said", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo({ replicas: 2 });
  const twin = ["expose", "deployment", "web", "--name=twin", "--port=80"];
  succeeded(await namespace.kubectl([...twin, "--target-port=http"]));
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  await using bob = await Laptop.open(cluster, namespace, "bob");
  const before = await namespace.snapshot();
  await using exchange = laptop.start(
    [...SCALE, "--expose", `${laptop.demo.port}:80`],
  );
  await exchange.ready();
  await reaches(client);
  const told = exchange.events.find(({ code }) =>
    code === "SERVICES_SHARE_PODS"
  );
  assert.match(
    told!["message"],
    / Service "twin".* as well: until the end 1 pod answers there/,
  );
  await scaledDown(namespace);
  for (let i = 0; i < 10; i++) {
    assert.match(await answerOf(client, "http://twin/"), /^web-/);
  }
  const recovered = await bob.run(["recover", "twin", "--takeOver"]);
  assert.equal(recovered.code, 0, recovered.stdout);
  assert.match(recovered.events.at(-1)!["reason"], /"twin" is as it should be/);
  assert.equal(await replicasOf(namespace), 1);
  assert.equal(await answerOf(client), "laptop");
  assert.equal((await exchange.stop()).code, 0);
  await untouched(namespace, before);
  await assertNoTrace({ namespace, laptop, before });
});

Deno.test("recover --takeOver from a laptop that has scaled the Deployment to none waits for its pods: nobody is without an answer for 2 s", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  await using bob = await Laptop.open(cluster, namespace, "bob");
  const before = await namespace.snapshot();
  await using exchange = laptop.start(
    [...SCALE, "--keepReplicas", "0", "--expose", `${laptop.demo.port}:80`],
  );
  await exchange.ready();
  await reaches(client);
  const log = await startRequestLog(client, 60);
  const recovered = await bob.run(["recover", "web", "--takeOver"]);
  assert.equal(recovered.code, 0, recovered.stdout);
  const { error } = await exchange.ended();
  assert.equal(error?.["code"], "SERVICE_RECOVERED");
  await reaches(client, { name: "web-" });
  await log.end();
  const requests = await log.read();
  // nodes follow a moment after the pods
  const gaps = gapsOf(requests);
  assert.ok(gaps.every((seconds) => seconds < 2), `gaps of ${gaps} s`);
  const last = requests.findLast(({ answer }) => answer !== undefined);
  assert.match(last!.answer!, /^web-/);
  await untouched(namespace, before);
  await assertNoTrace({ namespace, laptop, before });
});
