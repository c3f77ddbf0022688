import assert from "node:assert/strict";
import { keepStuntman } from "../../../../src/cluster/service/keep_stuntman.ts";
import { ConflictError, PermissionError } from "../../../../src/core/errors.ts";
import type {
  KubeObject,
  ObjectRef,
  Resource,
  WatchEvent,
} from "../../../../src/kube/kube_api.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";
import { made, own, switchedService } from "../leftovers.ts";

const stuntman = made("Service", "web-kt-stuntman", { session: "s1" }, {
  ...{ clusterIP: "10.0.0.7", selector: { app: "web" } },
});
stuntman.metadata.resourceVersion = "7";

/** A cluster with the Service `web` and what a test puts beside it. */
class Cluster extends MemoryKube {
  readonly created: KubeObject[] = [];
  readonly warned: string[] = [];
  #events: readonly (WatchEvent | Error)[];
  #others: readonly KubeObject[];

  constructor(
    events: readonly (WatchEvent | Error)[],
    others: readonly KubeObject[] = [switchedService()],
  ) {
    super();
    this.#events = events;
    this.#others = others;
  }

  override find({ name }: ObjectRef): Promise<KubeObject | undefined> {
    return Promise.resolve(
      this.#others.find(({ metadata }) => metadata.name === name),
    );
  }

  async create(_: Resource, object: KubeObject): Promise<KubeObject> {
    if (await this.find({ resource: _, name: object.metadata.name })) {
      throw new ConflictError("ALREADY_EXISTS", "it is there");
    }
    this.created.push(object);
    return object;
  }

  async *watch(): AsyncGenerator<WatchEvent> {
    for (const event of this.#events) {
      if (event instanceof Error) throw event;
      yield event;
    }
  }

  async keep(): Promise<this> {
    await keepStuntman(this.api, stuntman, {
      service: "web",
      log: { warn: (code) => this.warned.push(code), debug: () => {} },
      signal: new AbortController().signal,
    });
    return this;
  }
}

const synced = { type: "SYNCED" } as const;

Deno.test("a Stuntman Service that is deleted is made again as it was last, under the same address", async () => {
  const changed = structuredClone(stuntman);
  changed.spec.selector = { app: "web", version: "v2" };
  const { created, warned } = await new Cluster([
    { type: "ADDED", object: stuntman },
    synced,
    { type: "MODIFIED", object: changed },
    { type: "DELETED", object: changed },
  ]).keep();
  const { name, namespace, labels, annotations } = stuntman.metadata;
  assert.deepEqual(created, [{
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace, labels, annotations },
    spec: changed.spec,
  }]);
  assert.deepEqual(warned, ["STUNTMAN_DELETED"]);
});

Deno.test("a Stuntman Service that is gone before anybody looked is made again", async () => {
  const { created } = await new Cluster([synced]).keep();
  assert.deepEqual(created.map(({ spec }) => spec), [stuntman.spec]);
});

Deno.test("where the Service was given back before, nobody needs a Stuntman Service again", async () => {
  const free = own("Service", "web", { selector: { app: "web" } });
  const events = [synced, { type: "DELETED", object: stuntman }] as const;
  const { created, warned } = await new Cluster(events, [free]).keep();
  assert.deepEqual([created, warned], [[], []]);
});

Deno.test("one that is there again already is left, unless it is somebody else's", async () => {
  const there = [switchedService(), stuntman];
  const { warned } = await new Cluster([synced], there).keep();
  assert.deepEqual(warned, []);
  const theirs = own("Service", "web-kt-stuntman", {});
  await assert.rejects(
    new Cluster([synced], [switchedService(), theirs]).keep(),
    { code: "STUNTMAN_NAME_TAKEN" },
  );
});

Deno.test("who may not watch Services does without", async () => {
  const refused = new PermissionError("RBAC_FORBIDDEN", "no");
  const { created } = await new Cluster([refused]).keep();
  assert.deepEqual(created, []);
});
