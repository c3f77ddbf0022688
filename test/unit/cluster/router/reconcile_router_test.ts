import assert from "node:assert/strict";
import fc from "fast-check";
import { routerConfigMap } from "../../../../src/cluster/router/router_objects.ts";
import { isControlled } from "../../../../src/cluster/object/is_controlled.ts";
import { isReady } from "../../../../src/cluster/pod/pod_ready.ts";
import {
  makeRouterPod,
  reconcileOrigin,
  reconcileRouter,
} from "../../../../src/cluster/router/reconcile_router.ts";
import { keepRouter } from "../../../../src/cluster/router/router_keeper.ts";
import type { RouterState } from "../../../../src/cluster/router/router_state.ts";
import {
  findState,
  routerRef,
} from "../../../../src/cluster/router/router_store.ts";
import { ClusterError, KtctlError } from "../../../../src/core/errors.ts";
import type {
  JsonPatchOperation,
  KubeObject,
  ObjectRef,
  Resource,
} from "../../../../src/kube/kube_api.ts";
import { NOW, switchedService } from "../leftovers.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";
import { RouterKube } from "../router_kube.ts";
import { EMPTY_ROUTER } from "../routers.ts";

const { signal } = new AbortController();

const router = EMPTY_ROUTER;

const settings = {
  user: "alice",
  pod: {
    routerImage: "haproxy:2.6",
    imagePullPolicy: "IfNotPresent" as const,
    nodeSelector: {},
    tolerations: [],
    labels: {},
    annotations: {},
    quota: {},
  },
  original: { app: "web" },
  ports: [],
  seen: { applied: {} },
  podTimeoutMs: 5_000,
  signal,
  drifted: () => {},
  awaitTurn: () => Promise.resolve(),
};

/** As a participant does: again after every change, and after what passes. */
async function keep(kube: RouterKube, isAllowed = false): Promise<void> {
  const keep = async (state: RouterState) =>
    isAllowed &&
    await keepRouter(kube.api, state, settings) === undefined;
  for (let seen = -1; seen !== kube.changes;) {
    seen = kube.changes;
    const state = await findState(kube.api, routerRef("web", "test"), signal);
    try {
      await reconcileRouter(kube.api, state!, { ...settings, keep });
    } catch (error) {
      if (!(error instanceof KtctlError)) throw error;
      seen = -1;
    }
  }
}

Deno.test("however two participants mend a router that dies and dies, the Service leads to the one Router Pod that the state names", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const kube = new RouterKube(scheduler, [
        { ...switchedService("router"), kind: "Service" },
        routerConfigMap(router, NOW),
      ]);
      const named = async () =>
        (await findState(kube.api, routerRef("web", "test"), signal))!.podName;
      await scheduler.waitFor(keep(kube));
      for (let time = 1; time <= 2; time++) {
        const dies = await scheduler.waitFor(named());
        await scheduler.waitFor(
          Promise.all([kube.crash(dies), keep(kube), keep(kube)]),
        );
        await scheduler.waitFor(keep(kube)); // an event tells of the last change
        const serving = kube.pods().filter(({ metadata }) =>
          metadata.deletionTimestamp === undefined
        );
        assert.deepEqual(
          serving.map(({ metadata }) => metadata.name),
          [await scheduler.waitFor(named())],
        );
      }
      assert.deepEqual(kube.cut, []);
      assert.deepEqual(kube.at("Service", "web")?.spec.selector, {
        "kt-role": "router",
        "kt-target": "AbC",
      });
    }),
    { numRuns: 100 },
  );
});

Deno.test("however two participants and the cluster mend a router that dies and dies, it is one pod, and the cluster keeps it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      const kube = new RouterKube(scheduler, [
        { ...switchedService("router"), kind: "Service" },
        routerConfigMap(router, NOW),
      ]);
      const serving = () =>
        kube.pods().filter(({ metadata }) =>
          metadata.deletionTimestamp === undefined
        );
      const isOne = () => {
        const [pod, ...others] = serving();
        assert.deepEqual(others, []);
        assert.ok(isControlled(pod!.metadata) && isReady(pod!));
        return pod!.metadata.name;
      };
      await scheduler.waitFor(makeRouterPod(kube.api, router, settings));
      await scheduler.waitFor(keep(kube, true));
      await scheduler.waitIdle();
      for (let time = 1; time <= 2; time++) {
        const dies = isOne();
        await scheduler.waitFor(
          Promise.all([kube.crash(dies), keep(kube, true), keep(kube, true)]),
        );
        await scheduler.waitFor(keep(kube, true));
        await scheduler.waitIdle();
        assert.notEqual(isOne(), dies);
      }
      assert.deepEqual(kube.at("Service", "web")?.spec.selector, {
        "kt-role": "router",
        "kt-target": "AbC",
      });
    }),
    { numRuns: 100 },
  );
});

class ServiceKube extends MemoryKube {
  get() {
    return this.find({} as never);
  }
}

Deno.test("where the Service's ports are not those that the router was made for, it leads to its own pods, and the session ends", async () => {
  const service = switchedService("router");
  Object.assign(service.spec.selector, { tier: "front" });
  service.spec.ports = [{ port: 80, targetPort: 8081, protocol: "TCP" }];
  const kube = new ServiceKube(service);
  const ports = [{ port: 80, targetPort: 8080, protocol: "TCP" }];
  await assert.rejects(
    reconcileOrigin(kube.api, router, { ...settings, ports }),
    { code: "SERVICE_PORTS_CHANGED" },
  );
  assert.deepEqual(kube.object?.spec.selector, { app: "web", tier: "front" });
});

/** A meshed Service and its router's record; Stuntman Services get one address after the other. */
class PrunedKube extends MemoryKube {
  readonly objects: Record<string, KubeObject> = {
    web: {
      ...switchedService("router"),
      kind: "Service",
    },
    "web-kt-router": routerConfigMap(router, NOW),
  };
  /** By others. */
  readonly taken = new Set<string>();
  #last = 10;

  override find({ name }: ObjectRef): Promise<KubeObject | undefined> {
    return Promise.resolve(structuredClone(this.objects[name]));
  }

  get(ref: ObjectRef) {
    return this.find(ref);
  }

  // deno-lint-ignore require-await -- what it throws is to reject
  async create(_: Resource, object: KubeObject): Promise<KubeObject> {
    const { clusterIP = `10.96.0.${this.#last++}` } = object.spec;
    if (this.taken.has(clusterIP)) {
      throw new ClusterError("INVALID_OBJECT", "already allocated");
    }
    const { name } = object.metadata;
    const made = { ...object, spec: { ...object.spec, clusterIP } };
    return this.objects[name] = made;
  }

  override async patch(
    ref: ObjectRef,
    operations: JsonPatchOperation[],
  ): Promise<KubeObject> {
    this.object = await this.find(ref);
    return this.objects[ref.name] = await super.patch(ref, operations);
  }
}

Deno.test("a Stuntman Service that somebody deletes has its address again, to which the agents of all in the router fall back", async () => {
  const kube = new PrunedKube();
  kube.objects["web"]!.spec.ports = [{ port: 80, targetPort: 8080 }];
  const seen = { applied: {} };
  const origin = async () => {
    const state = await findState(kube.api, routerRef("web", "test"), signal);
    const { original } = settings;
    const known = { original, seen };
    return (await reconcileOrigin(kube.api, state!, known))?.origin;
  };
  assert.equal(await origin(), "10.96.0.10");
  delete kube.objects["web-kt-stuntman"];
  assert.equal(await origin(), "10.96.0.10");
  delete kube.objects["web-kt-stuntman"];
  kube.taken.add("10.96.0.10");
  assert.equal(await origin(), "10.96.0.11");
});
