import assert from "node:assert/strict";
import {
  readScaleRecord,
  scaleRecord,
  scaleRecordRef,
} from "../../../../src/cluster/scale/scale_record.ts";
import type { KubeObject } from "../../../../src/kube/kube_api.ts";

const deployment: KubeObject = {
  metadata: { name: "web", namespace: "test", uid: "uid-web" },
  spec: { replicas: 3 },
};
const options = {
  namespace: "test",
  session: "s1",
  user: "alice",
  now: 1_700_000_000,
};
const made = scaleRecord(deployment, options);
const keeping = scaleRecord(deployment, { ...options, kept: 1 });

Deno.test("a record says which Deployment had how many replicas, under that Deployment's name", () => {
  assert.equal(made.metadata.name, scaleRecordRef("web", "test").name);
  const { object: _, ...read } = readScaleRecord(made)!;
  assert.deepEqual(read, {
    deployment: "web",
    uid: "uid-web",
    replicas: 3,
    kept: 0,
    session: "s1",
  });
  assert.equal(readScaleRecord(keeping)!.kept, 1);
  assert.deepEqual(made.metadata.labels, { "control-by": "kt" });
});

Deno.test("the original ktctl, which deletes by a heartbeat's age, finds none on a record", () => {
  assert.equal(made.metadata.annotations?.["kt-last-heart-beat"], undefined);
});

const [owner] = made.metadata.ownerReferences!;
const annotations = made.metadata.annotations!;
for (
  const [what, metadata] of [
    ["no count", {
      annotations: { ...annotations, "ktctl.dev/replicas": "-1" },
    }],
    ["a count beyond all bounds", {
      annotations: { ...annotations, "ktctl.dev/replicas": "9".repeat(12) },
    }],
    ["as many replicas kept as there were", {
      annotations: { ...annotations, "ktctl.dev/kept-replicas": "3" },
    }],
    ["a number of kept replicas that is none", {
      annotations: { ...annotations, "ktctl.dev/kept-replicas": "some" },
    }],
    ["no session", { annotations: { "ktctl.dev/replicas": "3" } }],
    ["another Deployment's name", { name: "db-kt-scaled" }],
    ["no owner", { ownerReferences: [] }],
    ["two owners", { ownerReferences: [owner, owner] }],
    ["an owner of another kind", {
      ownerReferences: [{ ...owner, kind: "Pod" }],
    }],
  ] as const
) {
  Deno.test(`a record with ${what} is none`, () => {
    const object = { ...made, metadata: { ...made.metadata, ...metadata } };
    assert.equal(readScaleRecord(object as KubeObject), undefined);
  });
}
