// A whole team on one Service. Most of it are entries in the router's record with Services of their own, as
// fifty ktctl are too many for a test's machine.
import assert from "node:assert/strict";
import { openTestCluster, succeeded, type TestNamespace } from "./cluster.ts";
import { denoContainer } from "./deno_pod.ts";
import { assertNoTrace, eventually, Laptop } from "./laptop.ts";
import {
  joined,
  left,
  routed,
  type RouterState,
} from "../../src/cluster/router/router_state.ts";
import {
  findState,
  routerRef,
  updateState,
} from "../../src/cluster/router/router_store.ts";
import { connectKube } from "../../src/kube/connect_kube.ts";
import type { KubeApi } from "../../src/kube/kube_api.ts";
import { SERVICES } from "../../src/kube/resources.ts";

const NAMES = Array.from({ length: 47 }, (_, at) => `stand-in-${at + 1}`);
const FIRST_PORT = 8101;

/** Answers with the port that it was asked at, and to health checks at each of them. */
const PROGRAM = `for (let at = 0; at < ${NAMES.length}; at++) {
  const port = ${FIRST_PORT} + at;
  Deno.serve({ port, onListen() {} }, () => new Response(\`\${port}\\n\`));
}`;

/** As their Shadow Services would be; all lead to one pod, each to a port of its own. */
async function applyStandIns(namespace: TestNamespace): Promise<void> {
  const labels = { app: "stand-in" };
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "stand-in", labels },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [{ ...denoContainer(["eval", PROGRAM]), volumeMounts: [] }],
    },
  };
  const services = NAMES.map((name, at) => {
    const port = (name: string, port: number) => ({
      ...{ name, port, protocol: "TCP", targetPort: FIRST_PORT + at },
    });
    return {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name },
      spec: {
        selector: labels,
        ports: [port("http", 80), port("check", 9900)],
      },
    };
  });
  const items = [pod, ...services];
  await namespace.apply(
    JSON.stringify({ apiVersion: "v1", kind: "List", items }),
  );
  const ready = ["wait", "--for=condition=Ready", "pod/stand-in"];
  succeeded(await namespace.kubectl([...ready, "--timeout=60s"]));
}

/** With all stand-ins in it, each with its route. */
async function withStandIns(
  kube: KubeApi,
): Promise<(state: RouterState) => RouterState> {
  const since = new Date().toISOString();
  const services = await Promise.all(
    NAMES.map((name) => kube.get({ resource: SERVICES, name })),
  );
  return (state) =>
    services.reduce((state, { metadata: { name }, spec }) => {
      const mark = { key: "version", value: name };
      const session = name.replaceAll("-", "");
      const target = { host: spec.clusterIP, checkPort: 9900 };
      const wanted = { session, user: name, since, mark };
      return routed(joined(state, wanted), session, target);
    }, state);
}

Deno.test("a router with 48 developers takes three more at once, each mark leads to its own, and the last one puts the Service back", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await Promise.all([namespace.applyDemo(), applyStandIns(namespace)]);
  const client = await namespace.client();
  const kube = await connectKube({
    kubeconfig: cluster.kubeconfig,
    namespace: namespace.name,
  });
  await using laptops = new AsyncDisposableStack();
  const open = async (name: string) =>
    laptops.use(await Laptop.open(cluster, namespace, name));
  const before = await namespace.snapshot();
  const join = async (name: string) => {
    const laptop = await open(name);
    const expose = `${laptop.demo.port}:80`;
    const args = ["mesh", "web", "--expose", expose, "--versionMark", name];
    const began = Date.now();
    const mesh = laptops.use(laptop.start(args, { user: name }));
    await mesh.ready();
    return { laptop, mesh, ms: Date.now() - began };
  };
  /** Of all of them in one go, by mark. */
  const answers = async (marks: readonly string[]) => {
    const ask = 'for mark; do curl -s -m 3 -H "version: $mark" web; done';
    const words = ["sh", "-c", ask, "sh", ...marks];
    return succeeded(await client.exec(words, { timeout: 60_000 }))
      .trimEnd().split("\n");
  };

  const first = await join("first");
  const ref = routerRef("web", namespace.name);
  const { signal } = new AbortController();
  await updateState(kube, ref, await withStandIns(kube));
  const own = NAMES.map((_, at) => `${FIRST_PORT + at}`);
  await eventually("all stand-ins have their requests", async () => {
    return (await answers(NAMES)).join() === own.join();
  });

  const names = ["ada", "ben", "cleo"];
  const others = await Promise.all(names.map(join));
  const took = [first, ...others].map(({ ms }) => `${ms}`).join(", ");
  console.log(
    `ms until the 1st, and the 49th to 51st at once, were ready: ${took}`,
  );
  const state = await findState(kube, ref, signal);
  const slots = state?.participants.map(({ slot }) => slot) ?? [];
  assert.deepEqual(slots, Array.from({ length: 51 }, (_, at) => at + 1));
  const all = ["first", ...names];
  assert.deepEqual(
    await answers([...all, ...NAMES]),
    [...all.map((name) => `demo pod=${name}`), ...own],
  );
  assert.match((await answers(["nobody"]))[0]!, /^demo pod=web-/);

  // places beyond those of before go, and the rest is served as it was
  for (const { mesh } of others) assert.equal((await mesh.stop()).code, 0);
  assert.deepEqual(await answers(["first", NAMES[46]!]), [
    "demo pod=first",
    own[46],
  ]);
  const sessions = NAMES.map((name) => name.replaceAll("-", ""));
  await updateState(kube, ref, (state) => left(state, sessions));
  assert.equal((await first.mesh.stop()).code, 0);
  await assertNoTrace({ namespace, laptop: first.laptop, before });
});
