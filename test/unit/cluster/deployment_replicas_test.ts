import assert from "node:assert/strict";
import {
  deploymentReplicasStep,
  unscalePatch,
} from "../../../src/cluster/deployment_replicas.ts";
import type { ConflictError } from "../../../src/core/errors.ts";
import type { KubeObject } from "../../../src/kube/kube_api.ts";
import { MemoryKube, patched } from "../../fakes/memory_kube.ts";

function deployment(
  replicas: number,
  annotations?: Record<string, string>,
): KubeObject {
  return {
    metadata: {
      name: "web",
      resourceVersion: "1",
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: { replicas },
  };
}

const args = {
  namespace: "test",
  deployment: "web",
  replicas: 3,
  session: "s1",
  user: "alice",
};
const held = { "ktctl.dev/replicas": "3", "ktctl.dev/session": "s1" };

function unscaled(object: KubeObject, known?: number): KubeObject {
  return patched(object, unscalePatch(object, known));
}

Deno.test("unscalePatch() gives the annotated count back and takes every mark of ours away", () => {
  const after = unscaled(deployment(0, {
    ...held,
    "ktctl.dev/held-by": "alice",
    "ktctl.dev/held-since": "2026-01-01T00:00:00Z",
    theirs: "stays",
  }));
  assert.equal(after.spec.replicas, 3);
  assert.deepEqual(after.metadata.annotations, { theirs: "stays" });
});

Deno.test("unscalePatch() leaves a count that somebody set since", () => {
  const after = unscaled(deployment(5, held));
  assert.equal(after.spec.replicas, 5);
  assert.deepEqual(after.metadata.annotations, {});
});

Deno.test("unscalePatch() takes the count that is known from elsewhere only where none is annotated", () => {
  assert.equal(unscaled(deployment(0), 2).spec.replicas, 2);
  assert.equal(unscaled(deployment(0, held), 2).spec.replicas, 3);
});

Deno.test("unscalePatch() without any count scales nothing", () => {
  assert.deepEqual(unscalePatch(deployment(0)), []);
  const after = unscaled(deployment(0, { "ktctl.dev/replicas": "many" }));
  assert.equal(after.spec.replicas, 0);
});

Deno.test("scaling down and back again leaves the Deployment as it was", async () => {
  const kube = new MemoryKube(deployment(3, { theirs: "stays" }));
  const world = { kube: kube.api };
  await deploymentReplicasStep.apply(args, undefined, world);
  assert.equal(kube.object?.spec.replicas, 0);
  assert.equal(kube.object?.metadata.annotations?.["ktctl.dev/replicas"], "3");
  for (const _time of [1, 2]) {
    await deploymentReplicasStep.revert(args, world, AbortSignal.timeout(1000));
    assert.equal(kube.object?.spec.replicas, 3);
    assert.deepEqual(kube.object?.metadata.annotations, { theirs: "stays" });
  }
});

Deno.test("a Deployment scaled in the meantime is not scaled down", async () => {
  const kube = new MemoryKube(deployment(4));
  await assert.rejects(
    deploymentReplicasStep.apply(args, undefined, { kube: kube.api }),
    (error: ConflictError) => {
      assert.equal(error.code, "DEPLOYMENT_CHANGED");
      return true;
    },
  );
  assert.equal(kube.writes, 0);
});

Deno.test("the revert leaves a Deployment that another session holds", async () => {
  const kube = new MemoryKube(
    deployment(0, { ...held, "ktctl.dev/session": "s2" }),
  );
  await deploymentReplicasStep.revert(
    args,
    { kube: kube.api },
    AbortSignal.timeout(1000),
  );
  assert.equal(kube.writes, 0);
});
