// A session tells others that it lives, by the cluster's clock and for as long as it does.
import assert from "node:assert/strict";
import { makeAccount } from "./account.ts";
import { clusterNow } from "./clock.ts";
import { openTestCluster, type TestNamespace } from "./cluster.ts";
import { eventually } from "./laptop.ts";
import { Heartbeat } from "../../src/cluster/object/heartbeat.ts";
import { connectKube } from "../../src/kube/connect_kube.ts";
import type { KubeApi, ObjectRef } from "../../src/kube/kube_api.ts";
import { CONFIG_MAPS, SERVICES } from "../../src/kube/resources.ts";

const KEY = "kt-last-heart-beat";
const LONG_AGO = 1_000_000_000;

/** Two objects, last heard of long ago. */
async function make(kube: KubeApi): Promise<[ObjectRef, ObjectRef]> {
  const annotations = { [KEY]: String(LONG_AGO) };
  const metadata = { name: "ours", annotations };
  await kube.create(CONFIG_MAPS, { metadata });
  await kube.create(SERVICES, { metadata, spec: { ports: [{ port: 80 }] } });
  return [{ resource: CONFIG_MAPS, name: "ours" }, {
    resource: SERVICES,
    name: "ours",
  }];
}

async function beatOf(kube: KubeApi, ref: ObjectRef): Promise<number> {
  return Number((await kube.get(ref)).metadata.annotations?.[KEY]);
}

/** Resolves to a heartbeat after `last`. */
async function beatAfter(
  kube: KubeApi,
  ref: ObjectRef,
  last: number,
): Promise<number> {
  let beat = last;
  await eventually("it beats", async () => {
    beat = await beatOf(kube, ref);
    return beat > last;
  });
  return beat;
}

function connect(
  namespace: TestNamespace,
  kubeconfig: string,
): Promise<KubeApi> {
  return connectKube({ kubeconfig, namespace: namespace.name });
}

Deno.test("the heartbeat of what a session holds is renewed in cluster time until it is given up", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  const kube = await connect(namespace, cluster.kubeconfig);
  const refs = await make(kube);
  const start = await clusterNow(namespace);
  const debugged: string[] = [];
  const log = {
    warn: (code: string) => assert.fail(code),
    debug: (text: string) => debugged.push(text),
  };
  {
    using heartbeat = new Heartbeat(kube, log, 100);
    // what somebody deleted does not keep the others from being renewed
    heartbeat.add({ resource: CONFIG_MAPS, name: "gone" });
    for (const ref of refs) heartbeat.add(ref);
    for (const ref of refs) {
      const first = await beatAfter(kube, ref, LONG_AGO);
      const second = await beatAfter(kube, ref, first);
      const now = await clusterNow(namespace);
      assert.ok(start - 1 <= first && second <= now + 1, `${first} ${second}`);
    }
    assert.match(debugged[0]!, /heartbeat of ConfigMap \/gone/);

    const [given, held] = refs;
    heartbeat.remove(given);
    // one that was on its way when it was given up arrives by then
    const settled = await beatAfter(kube, held, await beatOf(kube, held));
    const last = await beatOf(kube, given);
    await beatAfter(kube, held, settled + 1);
    assert.equal(await beatOf(kube, given), last);
  }
  await kube[Symbol.asyncDispose]();
});

Deno.test("a heartbeat that may not be written is told of once a kind, and ends nothing", async () => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  const admin = await connect(namespace, cluster.kubeconfig);
  const refs = await make(admin);
  const dir = await Deno.makeTempDir();
  const kube = await connect(
    namespace,
    await makeAccount(cluster, namespace, { name: "reader", dir }),
  );
  const warnings: string[] = [];
  const log = {
    warn: (code: string, message: string) =>
      warnings.push(`${code} ${message}`),
    debug: () => {},
  };
  using heartbeat = new Heartbeat(kube, log, 60_000);
  for (const ref of refs) heartbeat.add(ref);
  await heartbeat.beat();
  await heartbeat.beat();
  assert.equal(warnings.length, 2, warnings.join("\n"));
  for (const plural of ["configmaps", "services"]) {
    const rule = `apiGroups: [""], resources: ["${plural}"], verbs: ["patch"]`;
    const warning = warnings.find((text) => text.includes(rule)) ?? "";
    assert.match(warning, /^HEARTBEAT_REFUSED .*Missing rule: /);
  }
  await Promise.all([kube, admin].map((one) => one[Symbol.asyncDispose]()));
  await Deno.remove(dir, { recursive: true });
});
