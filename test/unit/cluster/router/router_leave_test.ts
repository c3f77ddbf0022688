import assert from "node:assert/strict";
import {
  closeRouter,
  restoreService,
} from "../../../../src/cluster/router/router_leave.ts";
import { LinkError, NotFoundError } from "../../../../src/core/errors.ts";
import type { RouterState } from "../../../../src/cluster/router/router_state.ts";
import type {
  DeleteOptions,
  KubeObject,
  ObjectRef,
} from "../../../../src/kube/kube_api.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";
import { made, own, switchedService } from "../leftovers.ts";

const { signal } = new AbortController();

const router: RouterState = {
  namespace: "test",
  service: "web",
  uid: "u1",
  podName: "web-kt-router",
  podTarget: "AbC",
  origin: "",
  ports: [],
  statusPort: 1,
  runtimePort: 2,
  lowPorts: false,
  participants: [],
  closing: true,
};

/** One object is there to be changed; others are found by their names. */
class RouterKube extends MemoryKube {
  deleted: [string, string | undefined][] = [];

  constructor(service: KubeObject, readonly others: readonly KubeObject[]) {
    super(service);
  }

  override find(ref: ObjectRef): Promise<KubeObject | undefined> {
    return ref.name === this.object?.metadata.name
      ? super.find(ref)
      : Promise.resolve(
        this.others.find(({ metadata }) => metadata.name === ref.name),
      );
  }

  delete({ name }: ObjectRef, options: DeleteOptions): Promise<boolean> {
    this.deleted.push([name, options.uid]);
    return Promise.resolve(false);
  }

  portForward(): Promise<never> {
    return Promise.reject(new DOMException("not there", "AbortError"));
  }
}

function stuntman(annotations: Record<string, string>): KubeObject {
  return made("Service", "web-kt-stuntman", { annotations }, {
    selector: { app: "web", tier: "a" },
  });
}

const lost = own("Service", "web", {
  selector: { "kt-role": "router", "kt-target": "AbC" },
});

Deno.test("who closes a router deletes its own ConfigMap, not that of a router made since", async () => {
  const kube = new RouterKube(own("Service", "web", {}), []);
  await closeRouter(kube.api, router, signal);
  assert.deepEqual(kube.deleted, [["web-kt-router", "u1"]]);
});

Deno.test("a pod with the labels of a router's is its own by its name alone", async () => {
  const kube = new RouterKube(own("Service", "web", {}), []);
  kube.listed = ["db-kt-router", "web", "web-kt-router-kt-router"].map((name) =>
    made("Pod", name, {
      role: "router",
      target: "AbC",
      annotations: { "ktctl.dev/router": "1" },
    })
  );
  await closeRouter(kube.api, router, signal);
  assert.deepEqual(kube.deleted, [["web-kt-router", "u1"]]);
});

/** While a router is on its way out, somebody else who closes it deletes its Stuntman Service. */
class RacedKube extends RouterKube {
  override patch(): Promise<never> {
    const gone = new NotFoundError("NOT_FOUND", "it does not exist");
    return Promise.reject(gone);
  }

  override portForward(): Promise<never> {
    return Promise.reject(new LinkError("AGENT_UNREACHABLE", "busy"));
  }
}

Deno.test("of two who close a router at once, neither fails for what the other has deleted", async () => {
  const annotations = { "ktctl.dev/router": "1" };
  const pod = made("Pod", "web-kt-router", {
    ...{ role: "router", target: "AbC", annotations },
  });
  const kube = new RacedKube(own("Service", "web", {}), [
    stuntman(annotations),
  ]);
  kube.listed = [{ ...pod, status: { phase: "Running" } }];
  await closeRouter(kube.api, router, signal);
  assert.deepEqual(kube.deleted, [
    ["web-kt-router", "uid-Pod-web-kt-router"],
    ["web-kt-router", "u1"],
  ]);
});

Deno.test("a meshed Service that has lost its selector gets that of its Stuntman Service", async () => {
  const kube = new RouterKube(lost, [stuntman({ "ktctl.dev/router": "1" })]);
  assert.ok(await restoreService(kube.api, router));
  assert.deepEqual(kube.object?.spec.selector, { app: "web", tier: "a" });
});

Deno.test("a meshed Service that knows its selector takes nobody else's word", async () => {
  const kube = new RouterKube(switchedService("router"), [
    stuntman({ "ktctl.dev/router": "1" }),
  ]);
  assert.ok(await restoreService(kube.api, router));
  assert.deepEqual(kube.object?.spec.selector, { app: "web" });
});

Deno.test("a meshed Service whose selector somebody has set keeps it, and loses our marks", async () => {
  const chosen = switchedService("router");
  chosen.spec.selector = { app: "web2" };
  const kube = new RouterKube(chosen, []);
  assert.equal(await restoreService(kube.api, router), false);
  assert.deepEqual(kube.object?.spec.selector, { app: "web2" });
  assert.deepEqual(kube.object?.metadata.annotations, {});
});

Deno.test("a Service of the Stuntman's name that is no router's says nothing", async () => {
  const kube = new RouterKube(lost, [stuntman({})]);
  await assert.rejects(restoreService(kube.api, router), {
    code: "SELECTOR_LOST",
  });
  assert.equal(kube.writes, 0);
});
