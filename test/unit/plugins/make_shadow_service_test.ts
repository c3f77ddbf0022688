import assert from "node:assert/strict";
import { makeShadowService } from "../../../src/plugins/routing/make_shadow_service.ts";
import {
  parseExpose,
  routePorts,
} from "../../../src/cluster/service/expose.ts";
import { planPodPorts } from "../../../src/cluster/shadow/pod_ports.ts";
import type {
  KubeObject,
  ObjectRef,
  Resource,
  WatchEvent,
} from "../../../src/kube/kube_api.ts";
import type { PrepareContext } from "../../../src/plugins/plugin.ts";
import { routerConfigMap } from "../../../src/cluster/router/router_objects.ts";
import { joined, routed } from "../../../src/cluster/router/router_state.ts";
import { MemoryKube } from "../../fakes/memory_kube.ts";
import { NOW } from "../cluster/leftovers.ts";
import { EMPTY_ROUTER } from "../cluster/routers.ts";

const { signal } = new AbortController();

/** By each port of the Shadow Service the local port at which its connections arrive. */
async function arrivals(
  service: KubeObject,
  { expose, named }: { expose: string; named: Record<string, number> },
): Promise<Record<number, number | undefined>> {
  const kube = new MemoryKube();
  const container = {
    ports: Object.entries(named).map(([name, containerPort]) => ({
      name,
      containerPort,
    })),
  };
  kube.listed = [{
    metadata: { name: "web-1" },
    spec: { containers: [container] },
  }];
  const planned = (text: string) => {
    const routes = routePorts(service, text === "" ? [] : parseExpose(text));
    return planPodPorts(kube.api, service, { routes, signal });
  };
  let made: KubeObject | undefined;
  await makeShadowService({
    kube: kube.api,
    scope: {
      defer() {},
      background() {},
      run: (_step: unknown, _args: unknown, object: KubeObject) => {
        made = object;
        return Promise.resolve(object);
      },
    },
    heartbeat: { add() {}, remove() {} },
    session: "abcdefghij",
    shadowLabels: {},
  } as unknown as PrepareContext, {
    name: "web-kt-mesh-x",
    namespace: "test",
    ports: await planned(""), // as the router plans them
  });
  const shadow = await planned(expose);
  const ports: { name: string; port: number; targetPort: number | string }[] =
    made!.spec.ports;
  return Object.fromEntries(
    ports.filter(({ name }) => name !== "kt-status").map((
      { port, targetPort },
    ) => {
      const found = shadow.filter(({ name, port }) =>
        targetPort === (typeof targetPort === "string" ? name : port)
      );
      assert.equal(found.length, 1, `port ${port} leads to ${targetPort}`);
      return [port, found[0]!.local];
    }),
  );
}

Deno.test("each port of the Shadow Service leads to the same port of the Shadow Pod, whichever are exposed", async () => {
  const service: KubeObject = {
    metadata: { name: "web" },
    spec: {
      selector: { app: "web" },
      ports: [
        { port: 80, targetPort: "http" },
        { port: 443, targetPort: "https" },
        { port: 8080 },
        { port: 9090, targetPort: 10_000 },
      ],
    },
  };
  const named = { http: 80, https: 443 };
  const none = { 80: undefined, 443: undefined };
  const others = { 8080: undefined, 9090: undefined };
  assert.deepEqual(await arrivals(service, { expose: "8443:443", named }), {
    ...{ ...none, ...others },
    443: 8443,
  });
  assert.deepEqual(await arrivals(service, { expose: "8088:80", named }), {
    ...{ ...none, ...others },
    80: 8088,
  });
  assert.deepEqual(
    await arrivals(service, { expose: "1:9090,2:443,3:8080,4:80", named }),
    { 80: 4, 443: 2, 8080: 3, 9090: 1 },
  );
});

/** The session's Shadow Service is made, and then deleted by somebody. */
class PrunedKube extends MemoryKube {
  made: KubeObject[] = [];

  constructor(
    readonly configMap: KubeObject | undefined,
    readonly pod?: KubeObject,
  ) {
    super();
  }

  override find({ resource }: ObjectRef): Promise<KubeObject | undefined> {
    if (resource.kind === "Pod") return Promise.resolve(this.pod);
    const isRecord = resource.kind === "ConfigMap";
    return Promise.resolve(isRecord ? this.configMap : undefined);
  }

  create(_: Resource, object: KubeObject): Promise<KubeObject> {
    const spec = { clusterIP: "10.96.0.77", ...object.spec };
    const created = { ...object, spec };
    this.made.push(created);
    return Promise.resolve(created);
  }

  async *watch(): AsyncGenerator<WatchEvent> {
    const [object] = this.made;
    yield { type: "ADDED", object: object! };
    yield { type: "SYNCED" };
    yield { type: "DELETED", object: object! };
  }
}

async function pruned(
  session: string,
  { hasState = true, pod }: { hasState?: boolean; pod?: KubeObject } = {},
): Promise<KubeObject[]> {
  const me = {
    ...{ session: "abcdefghij", user: "alice", since: "2026-01-01T00:00:00Z" },
    mark: { key: "version", value: "x" },
  };
  const target = { host: "10.96.0.77", checkPort: 9900 };
  const state = routed(joined(EMPTY_ROUTER, me), me.session, target);
  const record = hasState ? routerConfigMap(state, NOW) : undefined;
  const kube = new PrunedKube(record, pod);
  const tasks: Promise<void>[] = [];
  await makeShadowService({
    kube: kube.api,
    scope: {
      defer() {},
      run: (_step: unknown, _args: unknown, object: KubeObject) =>
        kube.create({} as Resource, object),
      background: (
        _name: string,
        task: (signal: AbortSignal) => Promise<void>,
      ) => void tasks.push(task(signal)),
    },
    log: { info() {}, warn() {}, debug() {} },
    heartbeat: { add() {}, remove() {} },
    target: { service: { metadata: { name: "web", namespace: "test" } } },
    session,
    shadowLabels: {},
  } as unknown as PrepareContext, {
    ...{ name: "web-kt-mesh-x", namespace: "test" },
    ports: [{ name: "http", port: 8080, servicePort: 80 }],
  });
  await Promise.all(tasks);
  return kube.made;
}

Deno.test("a Shadow Service that somebody deletes is made again under its address, at which the router asks for it", async () => {
  const [first, again, ...others] = await pruned("abcdefghij");
  assert.deepEqual(others, []);
  assert.deepEqual(again, first);
  assert.equal(again?.spec.clusterIP, "10.96.0.77");
});

Deno.test("that of a session which was taken out of the router is not", async () => {
  assert.equal((await pruned("klmnopqrst")).length, 1);
});

const shadowPod = (annotations: Record<string, string>): KubeObject => ({
  metadata: {
    name: "web-kt-mesh-x",
    annotations: { "ktctl.dev/session": "abcdefghij", ...annotations },
  },
});

for (
  const [who, pod, times] of [
    ["whose pod is there", shadowPod({}), 2],
    [
      "whose pod somebody took back",
      shadowPod({ "ktctl.dev/released": "bob" }),
      1,
    ],
    [
      "whose pod's name another session's has",
      shadowPod({ "ktctl.dev/session": "klmnopqrst" }),
      1,
    ],
    ["whose pod is gone", undefined, 1],
  ] as const
) {
  Deno.test(`where the router's state was deleted as well, the Shadow Service of a session ${who} is made ${times === 2 ? "again" : "once"}`, async () => {
    const made = await pruned("abcdefghij", {
      hasState: false,
      ...(pod === undefined ? {} : { pod }),
    });
    assert.equal(made.length, times);
  });
}
