// Mesh by labels, and by rules of a service mesh.
import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import { answerOf, assertNoTrace, eventually, Laptop } from "./laptop.ts";
import { installServiceMeshCrds } from "./service_mesh_crds.ts";

/** Of the demo: another Service has the same pods, and port 9000 is not exposed. */
const NOT_OURS_ALONE = ["SERVICES_SHARE_PODS", "PORTS_NOT_EXPOSED"];

async function objectsOf(namespace: TestNamespace, kinds: string) {
  const text = succeeded(
    await namespace.kubectl(["get", kinds, "-o", "json"]),
  );
  return JSON.parse(text).items;
}

/** Labels the original pods, as users of a service mesh do. */
async function labelOriginals(namespace: TestNamespace): Promise<void> {
  const labels = { version: "v1" };
  const patch = { spec: { template: { metadata: { labels } } } };
  const args = ["patch", "deployment", "web", "-p", JSON.stringify(patch)];
  succeeded(await namespace.kubectl(args));
  const rollout = ["rollout", "status", "deployment/web", "--timeout=60s"];
  succeeded(await namespace.kubectl(rollout));
  // the kubelet may take a minute to report their end
  const old = ["-l", "app=web,version!=v1", "--force", "--grace-period=0"];
  succeeded(await namespace.kubectl(["delete", "pods", ...old]));
}

Deno.test("mesh --mode manual starts a pod with the original's labels and the mark, and nothing else", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await labelOriginals(namespace);
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  await using mesh = laptop.start([
    "mesh",
    "web",
    "--mode",
    "manual",
    "--versionMark",
    "demo",
    "--expose",
    `${laptop.demo.port}:80`,
  ]);
  const { mode } = await mesh.ready();
  assert.equal(mode, "istio");
  const warnings = mesh.events.filter(({ event }) => event === "warning");
  assert.deepEqual(warnings.map(({ code }) => code), [
    "NO_SERVICE_MESH",
    ...NOT_OURS_ALONE,
  ]);
  const [pod] = (await objectsOf(namespace, "pods")).filter((
    { metadata }: { metadata: { name: string } },
  ) => metadata.name === "web-kt-mesh-demo");
  const { "kt-target": target, ...labels } = pod.metadata.labels;
  assert.match(target, /^[a-zA-Z]{20}$/);
  assert.deepEqual(labels, {
    app: "web",
    version: "demo",
    "control-by": "kt",
    "kt-role": "shadow-mesh",
  });
  const services = ["get", "services,configmaps", "-o", "name"];
  assert.doesNotMatch(
    succeeded(await namespace.kubectl(services)),
    /service\/web-kt|router/,
  );
  // one more pod of the Service, as the warning says
  await eventually(
    "a request comes here",
    async () => await answerOf(client) === "laptop",
  );
  assert.equal((await mesh.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });
});

Deno.test("--emitRules prints rules that the API server accepts, for Istio and for the Gateway API", async () => {
  const cluster = await openTestCluster();
  await using _crds = await installServiceMeshCrds(cluster);
  await using namespace = await cluster.demo();
  await labelOriginals(namespace);
  await using laptop = await Laptop.open(cluster, namespace);
  const forms = [
    { args: ["--emitRules"], kinds: ["DestinationRule", "VirtualService"] },
    {
      args: ["--emitRules", "gateway"],
      kinds: ["Service", "Service", "HTTPRoute"],
    },
  ];
  for (const { args, kinds } of forms) {
    await using mesh = laptop.start([
      "mesh",
      "web",
      "--mode",
      "manual",
      "--versionMark",
      "0.0.1",
      "--expose",
      `${laptop.demo.port}:80`,
      ...args,
    ]);
    const { output } = await mesh.ready();
    const warnings = mesh.events.filter(({ event }) => event === "warning");
    assert.deepEqual(warnings.map(({ code }) => code), NOT_OURS_ALONE);
    const documents = parseAllDocuments(output);
    assert.deepEqual(
      // deno-lint-ignore no-explicit-any -- open JSON of the API
      documents.map((one) => (one.toJS() as any).kind),
      kinds,
    );
    const dryRun = ["apply", "--dry-run=server", "-f", "-"];
    succeeded(await namespace.kubectl(dryRun, { stdin: output }));
    assert.match(output, /exact: 0\.0\.1|value: 0\.0\.1/);
    assert.equal((await mesh.stop()).code, 0);
  }
});

Deno.test("--applyRules applies every developer's rule, and takes each out with its developer", async () => {
  const cluster = await openTestCluster();
  await using _crds = await installServiceMeshCrds(cluster);
  await using namespace = await cluster.demo();
  await labelOriginals(namespace);
  await using alice = await Laptop.open(cluster, namespace, "alice");
  await using bob = await Laptop.open(cluster, namespace, "bob");
  const before = await namespace.snapshot();
  const start = (laptop: Laptop, mark: string) =>
    laptop.start([
      "mesh",
      "web",
      "--mode",
      "manual",
      "--applyRules",
      "--versionMark",
      mark,
      "--expose",
      `${laptop.demo.port}:80`,
    ]);
  await using first = start(alice, "alice");
  await first.ready();
  await using second = start(bob, "kt-mark:bob");
  await second.ready();
  const rules = async () => {
    const objects = await objectsOf(
      namespace,
      "virtualservices,destinationrules",
    );
    return Object.fromEntries(
      // deno-lint-ignore no-explicit-any -- open JSON of the API
      objects.map(({ kind, spec }: any) => [kind, spec]),
    );
  };
  const { VirtualService, DestinationRule } = await rules();
  assert.deepEqual(VirtualService, {
    hosts: ["web"],
    http: [
      {
        name: "kt-bob",
        match: [{ headers: { "kt-mark": { exact: "bob" } } }],
        route: [{ destination: { host: "web", subset: "kt-bob" } }],
      },
      {
        name: "kt-alice",
        match: [{ headers: { version: { exact: "alice" } } }],
        route: [{ destination: { host: "web", subset: "kt-alice" } }],
      },
      {
        name: "kt-original",
        route: [{ destination: { host: "web", subset: "kt-original" } }],
      },
    ],
  });
  assert.deepEqual(DestinationRule, {
    host: "web",
    subsets: [
      { name: "kt-bob", labels: { "kt-mark": "bob" } },
      { name: "kt-alice", labels: { version: "alice" } },
      { name: "kt-original", labels: { version: "v1" } },
    ],
  });
  assert.equal((await first.stop()).code, 0);
  const after = await rules();
  assert.deepEqual(
    after.VirtualService.http.map(({ name }: { name: string }) => name),
    ["kt-bob", "kt-original"],
  );
  assert.equal((await second.stop()).code, 0);
  assert.deepEqual(await rules(), {});
  await assertNoTrace({ namespace, laptop: bob, before });
});

Deno.test("--applyRules leaves rules that somebody else wrote alone", async () => {
  const cluster = await openTestCluster();
  await using _crds = await installServiceMeshCrds(cluster);
  await using namespace = await cluster.demo();
  await labelOriginals(namespace);
  await using laptop = await Laptop.open(cluster, namespace);
  await namespace.apply(JSON.stringify({
    apiVersion: "networking.istio.io/v1beta1",
    kind: "VirtualService",
    metadata: { name: "web" },
    spec: {
      hosts: ["web"],
      http: [{ route: [{ destination: { host: "web" } }] }],
    },
  }));
  const before = await namespace.snapshot();
  const { code, error } = await laptop.run([
    "mesh",
    "web",
    "--mode",
    "manual",
    "--applyRules",
    "--expose",
    `${laptop.demo.port}:80`,
  ]);
  assert.equal(code, 7);
  assert.equal(error?.["code"], "RULES_OF_OTHERS");
  assert.match(error!["message"], /VirtualService "web"/);
  assert.match(error!["hint"], /--emitRules/);
  await assertNoTrace({ namespace, laptop, before });
});
