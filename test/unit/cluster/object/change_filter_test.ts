import assert from "node:assert/strict";
import { ChangeFilter } from "../../../../src/cluster/object/change_filter.ts";
import type { KubeObject } from "../../../../src/kube/kube_api.ts";

const heartbeat = (at: number) => ({ "kt-last-heart-beat": String(at) });

function object(version: string, change: object = {}): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      ...{ name: "web-kt-router", uid: "u1", resourceVersion: version },
      annotations: heartbeat(Number(version)),
      managedFields: [{ time: version }],
      ...change,
    },
  };
}

Deno.test("a heartbeat is no change, and whatever else differs is one", () => {
  const filter = new ChangeFilter();
  const isChange = (object: KubeObject, type = "MODIFIED" as const) =>
    filter.isChange({ type, object });
  assert.equal(isChange(object("1")), true);
  assert.equal(isChange(object("2")), false);
  assert.equal(isChange({ ...object("3"), data: { a: "b" } }), true);
  assert.equal(isChange({ ...object("4"), data: { a: "b" } }), false);
  const annotations = { ...heartbeat(5), other: "1" };
  const annotated = { ...object("5", { annotations }), data: { a: "b" } };
  assert.equal(isChange(annotated), true);
  assert.equal(isChange(object("6", { uid: "u2" })), true);
});

Deno.test("one that goes is a change, and so is one that comes back as it was", () => {
  const filter = new ChangeFilter();
  const types = ["ADDED", "DELETED", "ADDED"] as const;
  for (const type of types) {
    assert.equal(filter.isChange({ type, object: object("1") }), true, type);
  }
});
