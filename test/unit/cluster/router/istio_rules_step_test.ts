import assert from "node:assert/strict";
import {
  type IstioRulesArgs,
  istioRulesStep,
} from "../../../../src/cluster/router/istio_rules_step.ts";
import { virtualService } from "../../../../src/cluster/router/istio_rules.ts";
import { ConflictError, NotFoundError } from "../../../../src/core/errors.ts";
import type {
  DeleteOptions,
  JsonPatchOperation,
  KubeObject,
  ObjectRef,
  Resource,
} from "../../../../src/kube/kube_api.ts";
import { jsonPatched } from "../../../../src/kube/plan/patch_object.ts";
import type { World } from "../../../../src/kube/world.ts";
import { Scope } from "../../../../src/undo/scope.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";
import { MemoryJournal } from "../../core/memory_journal.ts";

/** Has one object of each kind, with versions as the API server gives them. */
class RulesKube extends MemoryKube {
  readonly objects = new Map<string, KubeObject>();
  /** Done once, before a deletion is carried out. */
  beforeDelete: (() => Promise<void>) | undefined;
  #version = 0;

  put(kind: string, object: KubeObject): KubeObject {
    const copy = structuredClone(object);
    copy.metadata.uid ??= `uid-${kind}`;
    copy.metadata.resourceVersion = String(++this.#version);
    this.objects.set(kind, copy);
    return structuredClone(copy);
  }

  override find({ resource }: ObjectRef): Promise<KubeObject | undefined> {
    return Promise.resolve(structuredClone(this.objects.get(resource.kind)));
  }

  create({ kind }: Resource, object: KubeObject): Promise<KubeObject> {
    if (!this.objects.has(kind)) return Promise.resolve(this.put(kind, object));
    return Promise.reject(new ConflictError("ALREADY_EXISTS", "it is there"));
  }

  // deno-lint-ignore require-await -- what it throws is to reject
  override async patch(
    { resource: { kind } }: ObjectRef,
    operations: JsonPatchOperation[],
  ): Promise<KubeObject> {
    const object = this.objects.get(kind);
    if (object === undefined) throw new NotFoundError("NOT_FOUND", "gone");
    return this.put(kind, jsonPatched(object, operations));
  }

  async delete(
    { resource: { kind } }: ObjectRef,
    { uid, resourceVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    const first = this.beforeDelete;
    this.beforeDelete = undefined;
    await first?.();
    const found = this.objects.get(kind)?.metadata;
    const isIt = found !== undefined && found.uid === (uid ?? found.uid) &&
      found.resourceVersion === (resourceVersion ?? found.resourceVersion);
    if (isIt) this.objects.delete(kind);
    return isIt;
  }

  /** Names of the entries, of both kinds. */
  get entries(): Record<string, string[]> {
    const names = (kind: string, list: "http" | "subsets") =>
      this.objects.get(kind)?.spec[list].map(({ name }: { name: string }) =>
        name
      ) ?? [];
    return {
      routes: names("VirtualService", "http"),
      subsets: names("DestinationRule", "subsets"),
    };
  }
}

function rulesOf(value: string): IstioRulesArgs {
  return {
    namespace: "test",
    service: "web",
    mark: { key: "version", value },
    original: "v1",
    version: "v1",
  };
}

const { signal } = new AbortController();

function apply(kube: RulesKube, value: string): Promise<void> {
  return istioRulesStep.apply(rulesOf(value), undefined, { kube: kube.api });
}

async function revert(kube: RulesKube, value: string): Promise<void> {
  await istioRulesStep.revert(rulesOf(value), { kube: kube.api }, signal);
}

Deno.test("a mark called as the default route is leaves all others their way", async () => {
  const kube = new RulesKube();
  await apply(kube, "alice");
  await apply(kube, "original");
  const all = ["kt--original", "kt-alice", "kt-original"];
  assert.deepEqual(kube.entries, { routes: all, subsets: all });
  await revert(kube, "alice");
  const left = ["kt--original", "kt-original"];
  assert.deepEqual(kube.entries, { routes: left, subsets: left });
  await revert(kube, "original");
  assert.deepEqual([...kube.objects], []);
});

Deno.test("where somebody else's VirtualService is in the way, the DestinationRule goes again", async () => {
  const kube = new RulesKube();
  const foreign = virtualService(rulesOf("alice"), "v1");
  delete foreign.metadata.annotations;
  const before = kube.put("VirtualService", foreign);
  const scope = Scope.root<World>({
    world: { kube: kube.api },
    journal: new MemoryJournal(),
    signal,
  });
  await assert.rejects(scope.run(istioRulesStep, rulesOf("bob"), undefined), {
    code: "RULES_NAME_TAKEN",
  });
  await scope.dispose();
  assert.deepEqual([...kube.objects], [["VirtualService", before]]);
});

Deno.test("who comes while the last developer leaves has rules", async () => {
  const kube = new RulesKube();
  await apply(kube, "alice");
  kube.beforeDelete = () => apply(kube, "bob");
  await revert(kube, "alice");
  const left = ["kt-bob", "kt-original"];
  assert.deepEqual(kube.entries, { routes: left, subsets: left });
});

Deno.test("who changes rules that are deleted at this moment makes them anew", async () => {
  const kube = new RulesKube();
  await apply(kube, "alice");
  const find = kube.find.bind(kube);
  let isFirst = true;
  kube.find = async (ref) => {
    const found = await find(ref);
    if (isFirst) await revert(Object.assign(kube, { find }), "alice");
    isFirst = false;
    return found;
  };
  await apply(kube, "bob");
  const all = ["kt-bob", "kt-original"];
  assert.deepEqual(kube.entries, { routes: all, subsets: all });
});
