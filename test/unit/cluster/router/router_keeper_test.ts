import assert from "node:assert/strict";
import {
  endKeeper,
  keepRouter,
} from "../../../../src/cluster/router/router_keeper.ts";
import type { RouterState } from "../../../../src/cluster/router/router_state.ts";
import {
  ClusterError,
  type KtctlError,
  PermissionError,
} from "../../../../src/core/errors.ts";
import type {
  DeleteOptions,
  KubeObject,
  ObjectRef,
  PatchOptions,
  Resource,
} from "../../../../src/kube/kube_api.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";
import { EMPTY_ROUTER } from "../routers.ts";
import { share } from "../shares.ts";

const { signal } = new AbortController();

const router: RouterState = { ...EMPTY_ROUTER, uid: "u1" };

const options = {
  user: "alice",
  pod: { ...share().pod, routerImage: "haproxy:2.6" },
};

/** Has one ReplicaSet at most, and refuses what it is told to. */
class KeeperKube extends MemoryKube {
  readonly done: string[] = [];
  patches: unknown[] = [];

  constructor(
    object?: KubeObject,
    readonly refuses: Partial<Record<string, KtctlError>> = {},
  ) {
    super(object);
  }

  #do(verb: string): void {
    const error = this.refuses[verb];
    if (error !== undefined) throw error;
    this.done.push(verb);
  }

  // deno-lint-ignore require-await -- what it throws is a rejection
  override async find({ resource }: ObjectRef) {
    assert.equal(resource.plural, "replicasets");
    if (this.refuses["get"] !== undefined) throw this.refuses["get"];
    return structuredClone(this.object);
  }

  // deno-lint-ignore require-await -- what it throws is a rejection
  async create(_resource: Resource, object: KubeObject): Promise<KubeObject> {
    this.#do("create");
    return this.object = { ...object };
  }

  // deno-lint-ignore require-await -- what it throws is a rejection
  override async patch(_ref: ObjectRef, patch: unknown, how?: PatchOptions) {
    this.#do("patch");
    assert.equal(how?.type, "strategic");
    this.patches.push(patch);
    return this.object!;
  }

  // deno-lint-ignore require-await -- what it throws is a rejection
  async delete(_ref: ObjectRef, { uid }: DeleteOptions): Promise<boolean> {
    this.#do("delete");
    assert.equal(uid, this.object?.metadata.uid);
    this.object = undefined;
    return true;
  }
}

/** As it is after it was made for a router. */
async function keeperOf(state: RouterState): Promise<KubeObject> {
  const kube = new KeeperKube();
  assert.equal(await keepRouter(kube.api, state, options), undefined);
  const { object } = kube;
  object!.metadata.uid = `uid of ${state.podTarget}`;
  return object!;
}

Deno.test("the router's keeper belongs to its ConfigMap, and its pods are none that the original ktctl deletes", async () => {
  const { metadata, spec } = await keeperOf(router);
  assert.deepEqual(metadata.ownerReferences, [
    { apiVersion: "v1", kind: "ConfigMap", name: "web-kt-router", uid: "u1" },
  ]);
  assert.equal(metadata.annotations?.["kt-last-heart-beat"], undefined);
  const labels = { "kt-role": "router", "kt-target": "AbC" };
  assert.deepEqual(spec.selector, { matchLabels: labels });
  assert.deepEqual(spec.template.metadata.labels, labels);
  assert.deepEqual(spec.template.metadata.annotations, {
    "kt-config": "service=web",
    "ktctl.dev/router": "1",
    "kt-user": "alice",
  });
  assert.equal(spec.replicas, 1);
});

Deno.test("a keeper that is as it should be is left alone", async () => {
  const kube = new KeeperKube(await keeperOf(router));
  assert.equal(await keepRouter(kube.api, router, options), undefined);
  assert.deepEqual(kube.done, []);
});

Deno.test("where the original has another address, the next pod goes there", async () => {
  const kube = new KeeperKube(await keeperOf(router));
  const moved = { ...router, origin: "10.0.0.2" };
  assert.equal(await keepRouter(kube.api, moved, options), undefined);
  assert.deepEqual(kube.done, ["patch"]);
  const text = JSON.stringify(kube.patches);
  assert.ok(text.includes("10.0.0.2") && !text.includes("10.0.0.1"));
});

Deno.test("the keeper of a router before this one makes room", async () => {
  const kube = new KeeperKube(await keeperOf({ ...router, podTarget: "Old" }));
  assert.equal(await keepRouter(kube.api, router, options), undefined);
  assert.deepEqual(kube.done, ["delete", "create"]);
});

Deno.test("a ReplicaSet of somebody else's with its name is neither used nor deleted", async () => {
  const foreign = await keeperOf(router);
  foreign.metadata.annotations = {};
  const kube = new KeeperKube(foreign);
  assert.equal(
    await keepRouter(kube.api, router, options),
    'ReplicaSet "web-kt-router" is there already',
  );
  await endKeeper(kube.api, router, signal);
  assert.deepEqual(kube.done, []);
});

const REFUSALS: [string, KtctlError][] = [
  ["get", new PermissionError("RBAC_FORBIDDEN", "no", { hint: "Ask." })],
  ["create", new PermissionError("RBAC_FORBIDDEN", "no", { hint: "Ask." })],
  ["create", new ClusterError("ADMISSION_DENIED", "no", { hint: "Ask." })],
  ["create", new ClusterError("QUOTA_EXCEEDED", "no", { hint: "Ask." })],
];

for (const [verb, error] of REFUSALS) {
  Deno.test(`a router goes on without a keeper where ${verb} is refused (${error.code})`, async () => {
    const kube = new KeeperKube(undefined, { [verb]: error });
    assert.equal(await keepRouter(kube.api, router, options), "no. Ask.");
  });
}

for (const code of ["API_ERROR", "CLUSTER_UNREACHABLE"]) {
  Deno.test(`a keeper that cannot be made just now (${code}) is made later`, async () => {
    const kube = new KeeperKube(undefined, {
      create: new ClusterError(code, "not now"),
    });
    await assert.rejects(keepRouter(kube.api, router, options), { code });
  });
}

Deno.test("who may not delete a keeper leaves it to its ConfigMap's end", async () => {
  const refuses = { delete: new PermissionError("RBAC_FORBIDDEN", "no") };
  const kube = new KeeperKube(await keeperOf(router), refuses);
  await endKeeper(kube.api, router, signal);
  assert.ok(kube.object !== undefined);
});
