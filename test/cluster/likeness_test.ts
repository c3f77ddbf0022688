// What stands in for a Service is like it, whatever that is called and whoever it keeps at which pod.
import assert from "node:assert/strict";
import {
  PORT_FIELDS,
  SPEC_FIELDS,
} from "../../src/cluster/service/service_likeness.ts";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import { run } from "./command.ts";
import { startLocalDemo } from "./demo/local_demo.ts";
import { pidInPod, shadowPod } from "./pod_process.ts";
import {
  answerOf,
  assertNoTrace,
  eventuallyByRuns,
  Laptop,
  reaches,
} from "./laptop.ts";

/** As long as a name can be: where Helm's charts are cut. */
const LONG = `${"long-release-name-of-a-chart-".repeat(2)}abcde`;

/** One more Service of the demo's pods. */
async function applyService(
  namespace: TestNamespace,
  name: string,
  spec: Record<string, unknown> = {},
): Promise<void> {
  await namespace.apply(JSON.stringify({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: {
      selector: { app: "web" },
      ports: [{ port: 80, targetPort: "http" }],
      ...spec,
    },
  }));
}

Deno.test("a Service of 63 characters is exchanged, meshed by two, and cleaned from another laptop after a death", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await applyService(namespace, LONG);
  const client = await namespace.client();
  const url = `http://${LONG}/`;
  await reaches(client, { name: "web-", url });
  await using laptop = await Laptop.open(cluster, namespace);
  await using other = await Laptop.open(cluster, namespace, "other");
  const before = await namespace.snapshot();
  await using demo = await startLocalDemo();
  const expose = ["--expose", `${demo.port}:80`];
  await using exchange = laptop.start(["exchange", LONG, ...expose]);
  await exchange.ready();
  await reaches(client, { url });
  await demo[Symbol.asyncDispose]();
  await reaches(client, { name: "web-", url });
  assert.equal((await exchange.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });

  const mesh = (mark: string) =>
    other.start([
      "mesh",
      LONG,
      "--expose",
      `${other.demo.port}:80`,
      "--versionMark",
      mark,
    ]);
  await using first = mesh("first");
  await first.ready();
  await using second = mesh(`second.${"x".repeat(55)}`);
  await second.ready();
  for (const value of ["first", `second.${"x".repeat(55)}`]) {
    const { stdout } = await client.curl("-H", `version: ${value}`, url);
    assert.match(stdout, /pod=other/, value);
  }
  assert.match(await answerOf(client, url), /^web-/);
  await Promise.all([first.stop("SIGKILL"), second.stop("SIGKILL")]);
  const clean = ["clean", "--thresholdInMinus", "0"];
  await eventuallyByRuns("all is cleaned", async () => {
    const cleaned = await laptop.run(clean);
    assert.equal(cleaned.code, 0, cleaned.stdout);
    return await namespace.snapshot() === before;
  });
  assert.match(await answerOf(client, url), /^web-/);
  succeeded(await namespace.kubectl(["get", "svc", LONG]));
});

/** Which pods answer clients of many addresses: they come from within the pod of ours that passes them on. */
async function answersOfMany(
  namespace: TestNamespace,
  pod: string,
  part: string,
): Promise<Set<string>> {
  const pid = await pidInPod(namespace, pod, part);
  const ask = async (client: number) => {
    const from = `127.0.1.${client}`;
    const curl = ["curl", "-sS", "--interface", from, "http://127.0.0.1:8080/"];
    const enter = [`--target=${pid}`, "--net", "--", ...curl];
    return succeeded(await run("nsenter", enter));
  };
  const answers = new Set<string>();
  for (let client = 1; client <= 24; client++) {
    const answer = await ask(client);
    assert.equal(await ask(client), answer);
    answers.add(answer);
  }
  return answers;
}

Deno.test("every field that this server's Services have is decided", async () => {
  const cluster = await openTestCluster();
  const raw = await cluster.kubectl(["get", "--raw", "/openapi/v2"]);
  const { definitions } = JSON.parse(succeeded(raw));
  for (
    const [kind, table] of [
      ["ServiceSpec", SPEC_FIELDS],
      ["ServicePort", PORT_FIELDS],
    ] as const
  ) {
    const { properties } = definitions[`io.k8s.api.core.v1.${kind}`];
    const fields = Object.keys(properties);
    assert.ok(fields.length > 5);
    assert.deepEqual(fields.filter((field) => !(field in table)), []);
  }
});

Deno.test("clients are each kept at one pod, not all at the same, through the router, and through the agent without a laptop", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo({ replicas: 3 });
  await applyService(namespace, "sticky", {
    sessionAffinity: "ClientIP",
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 600 } },
    // all pods are on one node: ours has to be there too
    type: "NodePort",
    externalTrafficPolicy: "Local",
  });
  const client = await namespace.client();
  await reaches(client, { name: "web-", url: "http://sticky/" });
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  await using demo = await startLocalDemo();
  const expose = ["--expose", `${demo.port}:80`];
  const assertKept = async () => {
    const pods = new Set<string>();
    for (let i = 0; i < 12; i++) {
      pods.add(await answerOf(client, "http://sticky/"));
    }
    const [pod] = pods;
    assert.match(pod!, /^web-/);
    assert.equal(pods.size, 1, [...pods].join(" "));
  };
  await using mesh = laptop.start([
    "mesh",
    "sticky",
    ...expose,
    "--versionMark",
    "me",
  ]);
  await mesh.ready();
  await assertKept();
  const likeness = await namespace.kubectl([
    "get",
    "svc/sticky-kt-stuntman",
    "-o",
    "jsonpath={.spec.sessionAffinity} {.spec.sessionAffinityConfig.clientIP.timeoutSeconds}",
  ]);
  assert.equal(succeeded(likeness), "ClientIP 600");
  const placed = await namespace.kubectl([
    "get",
    "pods",
    "-o",
    'jsonpath={range .items[*]}{.spec.nodeName} {.spec.affinity..matchFields[0].values[0]}{"\\n"}{end}',
  ]);
  const [web, ...more] = succeeded(placed).trim().split("\n").sort();
  assert.deepEqual(
    more.slice(-2),
    Array(2).fill(`${web} ${web}`),
    JSON.stringify(placed),
  );
  if (cluster.ours) {
    const pod = "pod/sticky-kt-router";
    const answers = await answersOfMany(namespace, pod, "-db");
    assert.ok(answers.size > 1, [...answers].join());
  }
  assert.equal((await mesh.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });

  await using exchange = laptop.start(["exchange", "sticky", ...expose]);
  await exchange.ready();
  const codes = exchange.events.filter(({ event }) => event === "warning")
    .map(({ code }) => code);
  assert.deepEqual(codes, ["SESSION_AFFINITY"]);
  await reaches(client, { url: "http://sticky/" });
  await demo[Symbol.asyncDispose]();
  await assertKept();
  if (cluster.ours) {
    const pod = await shadowPod(namespace);
    const answers = await answersOfMany(namespace, pod, "agent.js");
    assert.ok(answers.size > 1, [...answers].join());
  }
  assert.equal((await exchange.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });
});
