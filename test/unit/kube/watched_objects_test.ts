import assert from "node:assert/strict";
import fc from "fast-check";
import type { KubeObject } from "../../../src/kube/kube_api.ts";
import { WatchedObjects } from "../../../src/kube/watched_objects.ts";

const objects = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom("a", "b", "c", "d"),
    uid: fc.constantFrom("1", "2"),
    version: fc.constantFrom("1", "2", "3"),
  }),
  { selector: ({ name }) => name },
).map((items): KubeObject[] =>
  items.map(({ name, uid, version }) => ({
    metadata: { name, uid, resourceVersion: `${uid}.${version}` },
  }))
);

Deno.test("replaying replaceAll()'s changes turns the old list into the new one", () => {
  fc.assert(fc.property(objects, objects, (before, after) => {
    const watched = new WatchedObjects();
    const replayed = new Map<string, KubeObject>();
    for (const list of [before, after]) {
      for (const { type, object } of watched.replaceAll(list)) {
        const { name } = object.metadata;
        assert.equal(replayed.has(name), type !== "ADDED");
        if (type === "DELETED") replayed.delete(name);
        else replayed.set(name, object);
      }
    }
    assert.deepEqual(
      new Map(after.map((object) => [object.metadata.name, object])),
      replayed,
    );
  }));
});

Deno.test("apply() calls an object it knows MODIFIED, whatever the server says", () => {
  const watched = new WatchedObjects();
  const object = { metadata: { name: "a" } };
  assert.equal(watched.apply("MODIFIED", object).type, "ADDED");
  assert.equal(watched.apply("ADDED", object).type, "MODIFIED");
  assert.equal(watched.apply("DELETED", object).type, "DELETED");
  assert.equal(watched.apply("ADDED", object).type, "ADDED");
});
