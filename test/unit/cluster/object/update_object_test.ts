import assert from "node:assert/strict";
import { mock } from "node:test";
import fc from "fast-check";
import {
  shareAnnotations,
  updateShare,
} from "../../../../src/cluster/share/share_store.ts";
import {
  annotationPatch,
  escapePointer,
  updateObject,
} from "../../../../src/cluster/object/update_object.ts";
import { Cancelled, WriteConflictError } from "../../../../src/core/errors.ts";
import type { KubeObject } from "../../../../src/kube/kube_api.ts";
import { SERVICES } from "../../../../src/kube/resources.ts";
import { MemoryKube, patched } from "../../../fakes/memory_kube.ts";
import { share } from "../shares.ts";

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

/** What `promise` comes to, with all pauses on the way cut short. */
async function withoutPauses<T>(promise: () => Promise<T>): Promise<T> {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    let isSettled = false;
    const result = promise().finally(() => isSettled = true);
    result.catch(() => {}); // awaited below
    while (!isSettled) {
      await new Promise((resolve) => setImmediate(resolve));
      mock.timers.tick(1);
    }
    return await result;
  } finally {
    mock.timers.reset();
  }
}

Deno.test("updateObject() gives up when others write without end, and so does what is made of it", async () => {
  const kube = new MemoryKube(service());
  const secret = new MemoryKube({
    metadata: {
      name: "kt-connect-shadow-daemon",
      resourceVersion: "1",
      labels: { "kt-target": share().target },
      annotations: shareAnnotations(share()),
    },
  });
  kube.conflicts = secret.conflicts = Infinity;
  const update = () =>
    updateObject(
      kube.api,
      ref,
      (object) => annotationPatch(object, { a: "b" }),
    );
  const join = () => updateShare(secret.api, "test", (state) => ({ ...state }));
  await assert.rejects(withoutPauses(update), WriteConflictError);
  await assert.rejects(withoutPauses(join), WriteConflictError);
  assert.ok(kube.writes < 20);
  assert.equal(secret.writes, kube.writes);
});

Deno.test("updateObject() leaves another object of that name alone", async () => {
  const object = service();
  object.metadata.uid = "second";
  const kube = new MemoryKube(object);
  const write = (uid: string) =>
    updateObject(
      kube.api,
      ref,
      (one) => annotationPatch(one, { a: "b" }),
      { uid },
    );
  assert.equal(await write("first"), undefined);
  assert.equal(kube.writes, 0);
  assert.equal((await write("second"))?.metadata.annotations?.["a"], "b");
});

Deno.test("updateObject() gets through for each of many who write at once", async () => {
  const kube = new MemoryKube(service());
  const names = Array.from({ length: 30 }, (_, n) => `member${n}`);
  const updates = () =>
    Promise.all(
      names.map((name) =>
        updateObject(
          kube.api,
          ref,
          (object) => annotationPatch(object, { [name]: "here" }),
        )
      ),
    );
  await withoutPauses(updates);
  const { annotations = {} } = kube.object!.metadata;
  assert.deepEqual(Object.keys(annotations).sort(), names.sort());
});

Deno.test("updateObject() waits for the next attempt no longer than its signal says", async () => {
  const kube = new MemoryKube(service());
  kube.conflicts = Infinity;
  const update = () =>
    updateObject(
      kube.api,
      ref,
      (object) => annotationPatch(object, { a: "b" }),
      { signal: AbortSignal.abort(new Cancelled()) },
    );
  await assert.rejects(withoutPauses(update), Cancelled);
  assert.equal(kube.writes, 1);
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
