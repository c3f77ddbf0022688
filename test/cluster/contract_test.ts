// What a session puts into the cluster: names, labels and annotations that the original ktctl reads,
// and a pod as restricted as Kubernetes can ask for.
import assert from "node:assert/strict";
import { clusterNow } from "./clock.ts";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import { assertNoTrace, eventually, Laptop } from "./laptop.ts";

interface KubeObject {
  kind: string;
  metadata: {
    name: string;
    uid: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    ownerReferences?: { kind: string; name: string; uid: string }[];
  };
  // deno-lint-ignore no-explicit-any -- open JSON of the API
  spec?: any;
  data?: Record<string, string>;
  // deno-lint-ignore no-explicit-any -- open JSON of the API
  status?: any;
}

/** Of a Deployment "web" that is scaled down. */
const RECORD = "web-kt-scaled";

const KINDS = "pods,deployments.apps,services,configmaps,secrets";

async function read(
  namespace: TestNamespace,
  ...what: string[]
): Promise<KubeObject[]> {
  const got = succeeded(
    await namespace.kubectl(["get", ...what, "-o", "json"]),
  );
  const json = JSON.parse(got);
  return json.items ?? [json];
}

/** All that ktctl made, by kind. */
async function readMade(
  namespace: TestNamespace,
  among: (object: KubeObject) => boolean = () => true,
): Promise<Map<string, KubeObject>> {
  const all = await read(namespace, KINDS, "-l", "control-by=kt");
  const made = all.filter(among);
  const byKind = new Map(made.map((one) => [one.kind, one]));
  assert.equal(byKind.size, made.length, made.map(({ kind }) => kind).join());
  return byKind;
}

function get(objects: Map<string, KubeObject>, kind: string): KubeObject {
  const object = objects.get(kind);
  assert.ok(object, `no ${kind} among ${[...objects.keys()]}`);
  return object;
}

function session(object: KubeObject): string {
  return object.metadata.annotations?.["ktctl.dev/session"] ?? "";
}

/** What holds of everything that is made, whatever the verb. */
async function assertMarked(
  namespace: TestNamespace,
  objects: Map<string, KubeObject>,
  since: number,
): Promise<void> {
  const sessions = new Set<string>();
  for (const one of objects.values()) {
    const { name, annotations = {}, ownerReferences } = one.metadata;
    sessions.add(session(one));
    // an adopted pod is its session's own all the same
    if (ownerReferences !== undefined && one.kind !== "Pod") {
      // the original deletes what has an old heartbeat, and skips what has none
      assert.equal(annotations["kt-last-heart-beat"], undefined, name);
      continue;
    }
    const beat = annotations["kt-last-heart-beat"] ?? "";
    assert.match(beat, /^\d{10}$/, `${one.kind} ${name}`);
    // HTTP tells the time to the second
    assert.ok(Number(beat) >= since - 1, `${beat} is before ${since}`);
    const now = await clusterNow(namespace);
    assert.ok(Number(beat) <= now + 1, `${beat} is after ${now}`);
  }
  assert.equal(sessions.size, 1);
  assert.match([...sessions][0]!, /^[a-z0-9]{10}$/);
}

/** The pod's own: it goes with the pod, however the pod goes. */
function assertOwned(objects: Map<string, KubeObject>, owner: string): void {
  const { kind, metadata: { name, uid } } = get(objects, owner);
  for (const one of [get(objects, "ConfigMap"), get(objects, "Secret")]) {
    assert.equal(one.metadata.name, name);
    const [reference, ...others] = one.metadata.ownerReferences ?? [];
    assert.deepEqual(others, []);
    assert.equal(reference?.kind, kind);
    assert.equal(reference?.name, name);
    assert.equal(reference?.uid, uid);
  }
}

/**
 * The original knows nothing of ReplicaSets. It deletes the pod and the Stuntman Service of a dead session,
 * and gives the Service back; what would make the pod anew goes with the Stuntman Service. Of a pod that was
 * made anew it must not think that an exchange lives there, nor delete it alone.
 */
function assertKept(
  keeper: KubeObject,
  pod: KubeObject,
  stuntman: KubeObject,
): void {
  const [adopter] = pod.metadata.ownerReferences ?? [];
  assert.equal(adopter?.uid, keeper.metadata.uid);
  const [owner] = keeper.metadata.ownerReferences ?? [];
  assert.equal(owner?.uid, stuntman.metadata.uid);
  assert.ok(!keeper.metadata.name.startsWith("web-kt-exchange-"));
  const { labels, annotations } = keeper.spec.template.metadata;
  assert.equal(labels["control-by"], undefined);
  assert.equal(annotations["kt-last-heart-beat"], undefined);
  assert.deepEqual(keeper.spec.template.spec.containers[0].command, [
    ...pod.spec.containers[0].command,
  ]);
}

/** Nobody but the garbage collector deletes what the pod owned. */
async function assertCollected(namespace: TestNamespace): Promise<void> {
  await eventually("what the pod owned is gone", async () => {
    return (await readMade(namespace)).size === 0;
  });
}

/** The rules of PodSecurity `restricted`, as its documentation lists them. */
function assertRestricted(pod: KubeObject): void {
  const { spec } = pod;
  for (const field of ["hostNetwork", "hostPID", "hostIPC"]) {
    assert.ok(!spec[field], field);
  }
  assert.equal(spec.securityContext.runAsNonRoot, true);
  assert.notEqual(spec.securityContext.runAsUser, 0);
  assert.equal(spec.securityContext.seccompProfile.type, "RuntimeDefault");
  assert.deepEqual(spec.securityContext.sysctls ?? [], []);
  for (const container of spec.containers) {
    const context = container.securityContext;
    assert.ok(!context.privileged);
    assert.equal(context.allowPrivilegeEscalation, false);
    assert.equal(context.readOnlyRootFilesystem, true);
    assert.deepEqual(context.capabilities, { drop: ["ALL"] });
    assert.ok(
      container.ports.every(({ hostPort }: { hostPort?: number }) => !hostPort),
    );
  }
  const sources = spec.volumes.flatMap((volume: Record<string, unknown>) =>
    Object.keys(volume).filter((key) => key !== "name")
  );
  assert.deepEqual(sources.sort(), ["configMap", "emptyDir", "secret"]);
  // no way to the API server from inside
  assert.equal(spec.automountServiceAccountToken, false);
  assert.ok(
    !JSON.stringify(spec).includes("kubernetes.io/serviceaccount"),
    "a token is mounted",
  );
}

/** Private keys in the cluster: the agent's host key only. */
async function assertNoClientKey(
  namespace: TestNamespace,
  secret: KubeObject,
): Promise<void> {
  const keys = Object.keys(secret.data ?? {}).sort();
  assert.deepEqual(keys, ["authorized_key", "host_key"]);
  const host = atob(secret.data!["host_key"]!);
  const authorized = atob(secret.data!["authorized_key"]!);
  assert.match(host, /^-----BEGIN [A-Z ]*PRIVATE KEY-----/);
  assert.doesNotMatch(authorized, /PRIVATE/);
  // what is not the host key is not the client's either
  const everything = (await read(namespace, KINDS)).map((object) => {
    const data = Object.values(object.data ?? {}).map((text) =>
      object.kind === "Secret" ? atob(text) : text
    );
    return JSON.stringify(object) + data.join("\n");
  }).join("\n").replaceAll(host, "");
  // the agent's program may name the format; a key goes on with a line of base64
  assert.doesNotMatch(
    everything,
    /-----BEGIN [A-Z ]*PRIVATE KEY-----(\\n|\s)+[A-Za-z0-9+/=]{40}/,
  );
}

Deno.test("exchange marks what it makes so that the original ktctl understands it", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo({ replicas: 2 });
  await namespace.apply(JSON.stringify({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web", labels: { app: "web" } },
    spec: {
      // not in the order of the alphabet
      selector: { "pod-template": "x", app: "web" },
      ports: [
        { name: "http", port: 80, targetPort: "http", protocol: "TCP" },
        { name: "echo", port: 9000, targetPort: 9000, protocol: "TCP" },
      ],
    },
  }));
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const since = await clusterNow(namespace);
  await using exchange = laptop.start([
    "exchange",
    "web",
    "--expose",
    `${laptop.demo.port}:80`,
  ], { user: "alice" });
  await exchange.ready();

  const isKept = ({ metadata }: KubeObject) =>
    metadata.name.startsWith("kept-");
  const made = await readMade(namespace, (one) => !isKept(one));
  assert.deepEqual([...made.keys()].sort(), [
    "ConfigMap",
    "Pod",
    "Secret",
    "Service",
  ]);
  await assertMarked(namespace, made, since);
  assertOwned(made, "Pod");
  const pod = get(made, "Pod");
  assertRestricted(pod);
  await assertNoClientKey(namespace, get(made, "Secret"));

  // by its name the original knows that an exchange lives
  assert.match(pod.metadata.name, /^web-kt-exchange-[a-z0-9]{5}$/);
  const [keeper] = await read(namespace, "replicasets", "-l", "control-by=kt");
  assertKept(keeper!, pod, get(made, "Service"));
  const kept = await readMade(namespace, isKept);
  await assertMarked(namespace, kept, since);
  assertOwned(new Map([["ReplicaSet", keeper!], ...kept]), "ReplicaSet");
  const { labels = {}, annotations = {} } = pod.metadata;
  assert.deepEqual(Object.keys(labels).sort(), [
    "control-by",
    "kt-role",
    "kt-target",
  ]);
  assert.equal(labels["kt-role"], "shadow-exchange");
  assert.match(labels["kt-target"]!, /^[A-Za-z]{20}$/);
  assert.equal(annotations["kt-config"], "service=web");
  assert.equal(annotations["kt-user"], "alice");
  assert.equal(annotations["kt-ref-count"], "1");

  const [service] = await read(namespace, "service/web");
  assert.deepEqual(service!.spec.selector, {
    "kt-role": "shadow-exchange",
    "kt-target": labels["kt-target"],
  });
  const marks = service!.metadata.annotations!;
  assert.equal(marks["kt-selector"], '{"app":"web","pod-template":"x"}');
  assert.equal(marks["kt-lock"], undefined);
  assert.equal(marks["ktctl.dev/lock-owner"], undefined);
  assert.equal(marks["ktctl.dev/held-by"], "alice");
  assert.ok(Date.parse(marks["ktctl.dev/held-since"]!) > 0);
  assert.equal(service!.metadata.labels!["control-by"], undefined);

  const stuntman = get(made, "Service");
  assert.equal(stuntman.metadata.name, "web-kt-stuntman");
  assert.deepEqual(stuntman.spec.selector, {
    app: "web",
    "pod-template": "x",
  });

  assert.equal((await exchange.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });
  await assertCollected(namespace);
});

Deno.test("exchange --mode scale --keepReplicas 0 tells the count on its pod as the original does, and in a record of its own", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo({ replicas: 2 });
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const since = await clusterNow(namespace);
  await using exchange = laptop.start([
    "exchange",
    "deploy/web",
    "--mode",
    "scale",
    "--keepReplicas",
    "0",
    "--expose",
    `${laptop.demo.port}:80`,
  ], { user: "alice" });
  await exchange.ready();
  const made = await readMade(namespace, (one) => one.metadata.name !== RECORD);
  assert.deepEqual([...made.keys()].sort(), ["ConfigMap", "Pod", "Secret"]);
  await assertMarked(namespace, made, since);
  assertOwned(made, "Pod");
  const pod = get(made, "Pod");
  assertRestricted(pod);
  const { labels = {}, annotations = {} } = pod.metadata;
  assert.equal(labels["app"], "web");
  assert.equal(labels["kt-role"], "shadow-exchange");
  assert.equal(labels["pod-template-hash"], undefined);
  assert.equal(annotations["kt-config"], "app=web,replicas=2");
  const [deployment, record] = await read(
    namespace,
    "deployment/web",
    `configmap/${RECORD}`,
  );
  assert.equal(deployment!.spec.replicas, 0);
  const own = Object.keys(deployment!.metadata.annotations ?? {});
  assert.deepEqual(own.filter((name) => name.startsWith("kt")), []);
  const marks = record!.metadata.annotations!;
  assert.equal(marks["ktctl.dev/replicas"], "2");
  assert.equal(marks["ktctl.dev/held-by"], "alice");
  assert.equal(marks["ktctl.dev/session"], session(pod));
  // by which the original would delete it, and restore nothing
  assert.equal(marks["kt-last-heart-beat"], undefined);
  assert.equal(
    record!.metadata.ownerReferences?.[0]?.uid,
    deployment!.metadata.uid,
  );
  assert.equal((await exchange.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });
});

Deno.test("preview marks what it makes so that the original ktctl understands it", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const since = await clusterNow(namespace);
  await using preview = laptop.start([
    "preview",
    "mine",
    "--expose",
    `${laptop.demo.port}:80`,
  ], { user: "alice" });
  await preview.ready();
  const made = await readMade(namespace);
  assert.deepEqual([...made.keys()].sort(), [
    "ConfigMap",
    "Pod",
    "Secret",
    "Service",
  ]);
  await assertMarked(namespace, made, since);
  assertOwned(made, "Pod");
  const pod = get(made, "Pod");
  assertRestricted(pod);
  await assertNoClientKey(namespace, get(made, "Secret"));
  assert.match(pod.metadata.name, /^mine-kt-[a-z0-9]{5}$/);
  const { labels = {}, annotations = {} } = pod.metadata;
  assert.equal(labels["kt-role"], "shadow-preview");
  assert.match(labels["kt-target"]!, /^[A-Za-z]{20}$/);
  assert.equal(annotations["kt-config"], "service=mine");
  assert.equal(annotations["kt-user"], "alice");
  const service = get(made, "Service");
  assert.equal(service.metadata.name, "mine");
  assert.deepEqual(service.spec.selector, {
    "kt-role": "shadow-preview",
    "kt-target": labels["kt-target"],
  });
  assert.equal((await preview.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });
});

Deno.test("a shadow Deployment owns what belongs to it, and carries the marks", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  const since = await clusterNow(namespace);
  await using preview = laptop.start([
    "preview",
    "mine",
    "--use-shadow-deployment",
    "--expose",
    `${laptop.demo.port}:80`,
  ], { user: "alice" });
  await preview.ready();
  const made = await readMade(namespace);
  assert.deepEqual([...made.keys()].sort(), [
    "ConfigMap",
    "Deployment",
    "Secret",
    "Service",
  ]);
  await assertMarked(namespace, made, since);
  assertOwned(made, "Deployment");
  const { labels = {}, annotations = {} } = get(made, "Deployment").metadata;
  assert.equal(labels["kt-role"], "shadow-preview");
  assert.equal(annotations["kt-config"], "service=mine");
  assert.equal(annotations["kt-user"], "alice");
  const pods = await read(
    namespace,
    "pods",
    "-l",
    `kt-target=${labels["kt-target"]}`,
  );
  assert.equal(pods.length, 1);
  assertRestricted(pods[0]!);
  assert.equal((await preview.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });
});

Deno.test("the flags that shape pods end up in the pod, in either spelling", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await using laptop = await Laptop.open(cluster, namespace);
  const [node] = await read(namespace, "nodes");
  const host = node!.metadata.labels!["kubernetes.io/hostname"]!;
  succeeded(await namespace.kubectl(["create", "serviceaccount", "plain"]));
  const common = ["preview", "mine", "--expose", `${laptop.demo.port}:80`];
  const spellings = [
    [
      ["--withLabel", "team=red,stage=dev"],
      ["--withAnnotation", "example.com/note=a b,other=c"],
      ["--podQuota", "0.1c,256m"],
      ["--nodeSelector", `kubernetes.io/hostname=${host}`],
      ["--serviceAccount", "plain"],
      ["--imagePullSecret", "registry"],
    ],
    [
      ["-l", "team=red,stage=dev"],
      ["--with-annotation", "example.com/note=a b,other=c"],
      ["--pod-quota=0.1c,256m"],
      ["--node-selector", `kubernetes.io/hostname=${host}`],
      ["--service-account", "plain"],
      ["--image-pull-secret=registry"],
    ],
  ];
  for (const flags of spellings) {
    await using preview = laptop.start([...common, ...flags.flat()]);
    await preview.ready();
    const pod = get(await readMade(namespace), "Pod");
    const { labels = {}, annotations = {} } = pod.metadata;
    assert.equal(labels["team"], "red");
    assert.equal(labels["stage"], "dev");
    assert.equal(labels["kt-role"], "shadow-preview");
    assert.equal(annotations["example.com/note"], "a b");
    assert.equal(annotations["other"], "c");
    assert.equal(pod.spec.nodeSelector["kubernetes.io/hostname"], host);
    assert.equal(pod.spec.serviceAccountName, "plain");
    assert.deepEqual(pod.spec.imagePullSecrets, [{ name: "registry" }]);
    const [container] = pod.spec.containers;
    const quota = { cpu: "100m", memory: "256Mi" };
    assert.deepEqual(container.resources, { limits: quota, requests: quota });
    assert.equal(container.imagePullPolicy, "IfNotPresent");
    assert.match(container.image, /^denoland\/deno:/);
    assert.equal((await preview.stop()).code, 0);
  }
});

Deno.test("-f has the image pulled even if the node has it", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await using laptop = await Laptop.open(cluster, namespace);
  // a registry that could be asked is not here: it is enough that the pod wants it
  const expose = `${laptop.demo.port}:80`;
  await using preview = laptop.start([
    "preview",
    "mine",
    "-f",
    "--expose",
    expose,
  ]);
  let policy: string | undefined;
  await eventually("there is a pod", async () => {
    const [pod] = await read(namespace, "pods", "-l", "control-by=kt");
    policy = pod?.spec.containers[0].imagePullPolicy;
    return policy !== undefined;
  });
  assert.equal(policy, "Always");
  await preview.stop();
});
