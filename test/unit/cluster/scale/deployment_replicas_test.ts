import assert from "node:assert/strict";
import {
  deploymentReplicasStep,
  type ReplicasArgs,
} from "../../../../src/cluster/scale/deployment_replicas.ts";
import { unscalePatch } from "../../../../src/cluster/scale/unscale.ts";
import { scaleRecord } from "../../../../src/cluster/scale/scale_record.ts";
import type { ConflictError } from "../../../../src/core/errors.ts";
import type {
  JsonPatchOperation,
  KubeObject,
  ObjectRef,
} from "../../../../src/kube/kube_api.ts";
import { MemoryKube, patched } from "../../../fakes/memory_kube.ts";

/** A Deployment beside the record of who scaled it, if there is one. */
class ScaledKube extends MemoryKube {
  record: KubeObject | undefined;

  override find(ref: ObjectRef): Promise<KubeObject | undefined> {
    return ref.resource.kind === "ConfigMap"
      ? Promise.resolve(structuredClone(this.record))
      : super.find(ref);
  }

  override async patch(ref: ObjectRef, operations: JsonPatchOperation[]) {
    const after = await super.patch(ref, operations);
    this.object!.metadata.generation = (after.metadata.generation ?? 0) + 1;
    return after;
  }
}

function deployment(
  replicas: number,
  { annotations, generation = 7, uid = "uid-web" }: {
    annotations?: Record<string, string>;
    generation?: number;
    uid?: string;
  } = {},
): KubeObject {
  return {
    metadata: {
      name: "web",
      resourceVersion: "1",
      uid,
      generation,
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: { replicas },
  };
}

const args: ReplicasArgs = {
  namespace: "test",
  deployment: "web",
  uid: "uid-web",
  generation: 7,
  replicas: 3,
  kept: 0,
  session: "s1",
  target: "AbC",
};
const keeping: ReplicasArgs = { ...args, kept: 1 };

function recordBy(session: string): KubeObject {
  const { namespace } = args;
  const options = { namespace, session, user: "alice", now: 1_700_000_000 };
  return scaleRecord(deployment(3), options);
}

async function revert(kube: MemoryKube, its: unknown = args): Promise<void> {
  const world = { kube: kube.api };
  const signal = AbortSignal.timeout(1000);
  const own = its as ReplicasArgs;
  const isPresent = await deploymentReplicasStep.isPresent!(own, world, signal);
  const writes = kube.writes;
  await deploymentReplicasStep.revert(own, world, signal);
  assert.equal(isPresent, kube.writes > writes);
}

const held = { "ktctl.dev/replicas": "3", "ktctl.dev/session": "AbC" };

function unscaled(object: KubeObject, known?: number): KubeObject {
  return patched(object, unscalePatch(object, known));
}

Deno.test("unscalePatch() gives the annotated count back and takes every mark of ours away", () => {
  const annotations = {
    ...held,
    "ktctl.dev/held-by": "alice",
    "ktctl.dev/held-since": "2026-01-01T00:00:00Z",
    theirs: "stays",
  };
  const after = unscaled(deployment(0, { annotations }));
  assert.equal(after.spec.replicas, 3);
  assert.deepEqual(after.metadata.annotations, { theirs: "stays" });
});

Deno.test("unscalePatch() leaves a count that somebody set since", () => {
  const after = unscaled(deployment(5, { annotations: held }));
  assert.equal(after.spec.replicas, 5);
  assert.deepEqual(after.metadata.annotations, {});
});

Deno.test("unscalePatch() takes the count that is known from elsewhere before an annotated one", () => {
  assert.equal(unscaled(deployment(0), 2).spec.replicas, 2);
  const annotated = deployment(0, { annotations: held });
  assert.equal(unscaled(annotated, 2).spec.replicas, 2);
});

Deno.test("unscalePatch() without any count scales nothing", () => {
  assert.deepEqual(unscalePatch(deployment(0)), []);
  const annotations = { "ktctl.dev/replicas": "many" };
  assert.equal(unscaled(deployment(0, { annotations })).spec.replicas, 0);
});

Deno.test("scaling down and back again leaves the Deployment as it was", async () => {
  const before = deployment(3, { annotations: { theirs: "stays" } });
  const kube = new ScaledKube(before);
  kube.record = recordBy("s1");
  await deploymentReplicasStep.apply(args, undefined, { kube: kube.api });
  assert.equal(kube.object?.spec.replicas, 0);
  assert.deepEqual(kube.object?.metadata.annotations, { theirs: "stays" });
  for (const _time of [1, 2]) {
    await revert(kube);
    assert.deepEqual(kube.object?.spec, before.spec);
    assert.deepEqual(kube.object?.metadata.annotations, { theirs: "stays" });
  }
  assert.equal(kube.writes, 2);
});

Deno.test("a Deployment that keeps some of its replicas is scaled to those, and back", async () => {
  const kube = new ScaledKube(deployment(3));
  kube.record = recordBy("s1");
  await deploymentReplicasStep.apply(keeping, undefined, { kube: kube.api });
  assert.equal(kube.object?.spec.replicas, 1);
  for (const _time of [1, 2]) {
    await revert(kube, keeping);
    assert.equal(kube.object?.spec.replicas, 3);
  }
  assert.equal(kube.writes, 2);
});

for (const count of [0, 2, 5]) {
  Deno.test(`a Deployment of which one replica was kept, and that somebody has scaled to ${count} since, is left so`, async () => {
    const kube = new ScaledKube(deployment(count, { generation: 9 }));
    kube.record = recordBy("s1");
    await revert(kube, keeping);
    assert.equal(kube.object?.spec.replicas, count);
    assert.equal(kube.writes, 0);
  });
}

for (
  const [what, found] of [
    ["scaled", deployment(4)],
    ["changed", deployment(3, { generation: 8 })],
    ["made anew", deployment(3, { uid: "uid-other" })],
  ] as const
) {
  Deno.test(`a Deployment ${what} in the meantime is not scaled down`, async () => {
    const kube = new ScaledKube(found);
    await assert.rejects(
      deploymentReplicasStep.apply(args, undefined, { kube: kube.api }),
      (error: ConflictError) => error.code === "DEPLOYMENT_CHANGED",
    );
    assert.equal(kube.writes, 0);
  });
}

Deno.test("the revert leaves a Deployment that another session holds, and another one of its name", async () => {
  const other = new ScaledKube(deployment(0, { generation: 8 }));
  other.record = recordBy("s2");
  await revert(other);
  assert.equal(other.writes, 0);
  const anew = new ScaledKube(
    deployment(0, { generation: 8, uid: "uid-other" }),
  );
  anew.record = recordBy("s1");
  await revert(anew);
  assert.equal(anew.writes, 0);
});

Deno.test("without its record the zero is ours while nobody has changed the Deployment, or the Shadow Pod is there", async () => {
  const untouched = new ScaledKube(deployment(0, { generation: 8 }));
  await revert(untouched);
  assert.equal(untouched.object?.spec.replicas, 3);
  const changed = new ScaledKube(deployment(0, { generation: 9 }));
  changed.listed = [deployment(0)];
  await revert(changed);
  assert.equal(changed.object?.spec.replicas, 3);
});

Deno.test("what was given back and scaled down again by its owner stays so", async () => {
  const kube = new ScaledKube(deployment(0, { generation: 10 }));
  await revert(kube);
  assert.equal(kube.writes, 0);
});

Deno.test("the journal of an earlier version is reverted by the annotations of that version", async () => {
  const { uid: _uid, generation: _, target: __, kept: ___, ...rest } = args;
  const journalled = { ...rest, session: "AbC", user: "alice" };
  const kube = new ScaledKube(deployment(0, { annotations: held }));
  await revert(kube, journalled);
  assert.equal(kube.object?.spec.replicas, 3);
  assert.deepEqual(kube.object?.metadata.annotations, {});
  const free = new ScaledKube(deployment(0));
  await revert(free, journalled);
  assert.equal(free.writes, 0);
});
