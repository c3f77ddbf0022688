import assert from "node:assert/strict";
import fc from "fast-check";
import {
  annotationPatch,
  escapePointer,
  updateObject,
} from "../../../src/cluster/update_object.ts";
import { WriteConflictError } from "../../../src/core/errors.ts";
import type { KubeObject } from "../../../src/kube/kube_api.ts";
import { SERVICES } from "../../../src/kube/resources.ts";
import { MemoryKube, patched } from "../../fakes/memory_kube.ts";

const ref = { resource: SERVICES, name: "web" };

function service(annotations?: Record<string, string>): KubeObject {
  return {
    metadata: {
      name: "web",
      resourceVersion: "1",
      ...(annotations === undefined ? {} : { annotations }),
    },
  };
}

Deno.test("annotationPatch() sets and removes just what is named, whatever the names are", () => {
  const key = fc.string({ minLength: 1 }).filter((name) =>
    !(name in Object.prototype)
  );
  const before = fc.option(fc.dictionary(key, fc.string()), { nil: undefined });
  const changes = fc.dictionary(
    key,
    fc.option(fc.string(), { nil: undefined }),
  );
  fc.assert(fc.property(before, changes, (present, wanted) => {
    const object = service(present);
    const after = patched(object, annotationPatch(object, wanted));
    const expected = { ...present, ...wanted };
    for (const [name, value] of Object.entries(wanted)) {
      if (value === undefined) delete expected[name];
    }
    assert.deepEqual({ ...after.metadata.annotations }, { ...expected });
  }));
});

Deno.test("annotationPatch() of nothing to remove is no write", () => {
  assert.deepEqual(annotationPatch(service(), { a: undefined }), []);
  assert.deepEqual(annotationPatch(service({}), { a: undefined }), []);
});

Deno.test("escapePointer() makes a name with slash and tilde one part of a pointer", () => {
  assert.equal(escapePointer("ktctl.dev/a~b"), "ktctl.dev~1a~0b");
});

Deno.test("updateObject() looks again after a write conflict, and writes once", async () => {
  const kube = new MemoryKube(service({ count: "1" }));
  kube.conflicts = 5;
  let looks = 0;
  const after = await updateObject(kube.api, ref, (object) => {
    looks++;
    return annotationPatch(object, { done: "yes" });
  });
  assert.equal(looks, 6);
  assert.deepEqual(after?.metadata.annotations, { count: "1", done: "yes" });
});

Deno.test("updateObject() gives up when others write without end", async () => {
  const kube = new MemoryKube(service());
  kube.conflicts = Infinity;
  await assert.rejects(
    updateObject(
      kube.api,
      ref,
      (object) => annotationPatch(object, { a: "b" }),
    ),
    WriteConflictError,
  );
  assert.ok(kube.writes < 20);
});

Deno.test("updateObject() does not write where nothing is to be done, or nothing is there", async () => {
  const kube = new MemoryKube(service());
  await updateObject(kube.api, ref, () => undefined);
  await updateObject(kube.api, ref, () => []);
  assert.equal(kube.writes, 0);
  const none = await updateObject(new MemoryKube().api, ref, () => {
    throw new Error("called for an object that is not there");
  });
  assert.equal(none, undefined);
});

Deno.test("updateObject() passes on what the change throws, and writes nothing", async () => {
  const kube = new MemoryKube(service());
  const error = new Error("no");
  await assert.rejects(
    updateObject(kube.api, ref, () => {
      throw error;
    }),
    error,
  );
  assert.equal(kube.writes, 0);
});
