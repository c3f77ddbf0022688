import assert from "node:assert/strict";
import {
  ownPart,
  restorePatch,
  switchPatch,
} from "../../../../src/cluster/service/service_selector.ts";
import type { ClusterError } from "../../../../src/core/errors.ts";
import type { KubeObject } from "../../../../src/kube/kube_api.ts";

const shadow = { "kt-role": "shadow-exchange", "kt-target": "AbC" };

function service(
  selector: Record<string, string>,
  annotations?: Record<string, string>,
): KubeObject {
  return {
    metadata: { name: "web", ...(annotations ? { annotations } : {}) },
    spec: { selector },
  };
}

function restored(object: KubeObject, known?: Record<string, string>) {
  return restorePatch(object, known).find(({ path }) =>
    path === "/spec/selector"
  );
}

Deno.test("a switch keeps the original selector as the original ktctl writes it", () => {
  const patch = switchPatch(service({ b: "2", a: "1" }), {
    original: { b: "2", a: "1" },
    shadow,
    user: "alice",
    since: "2026-01-01T00:00:00Z",
  });
  const kept = patch.find(({ path }) =>
    path === "/metadata/annotations/kt-selector"
  );
  assert.equal(kept?.value, '{"a":"1","b":"2"}');
});

Deno.test("restoring goes by kt-selector first", () => {
  const object = service({ ...shadow, app: "other" }, {
    "kt-selector": '{"app":"web"}',
  });
  assert.deepEqual(restored(object, { app: "known" })?.value, { app: "web" });
});

Deno.test("without kt-selector, what kubectl apply merged into our selector is restored", () => {
  assert.deepEqual(restored(service({ ...shadow, app: "web" }))?.value, {
    app: "web",
  });
  assert.equal(ownPart(shadow), undefined);
});

Deno.test("a selector that somebody set by hand since is left, and only our marks go", () => {
  const object = service({ app: "theirs" }, { "kt-selector": '{"app":"web"}' });
  assert.deepEqual(restorePatch(object), [
    { op: "remove", path: "/metadata/annotations/kt-selector" },
  ]);
});

Deno.test("a selector that nothing tells of is an error, not an empty selector", () => {
  assert.throws(() => restorePatch(service(shadow)), (error: ClusterError) => {
    assert.equal(error.code, "SELECTOR_LOST");
    assert.match(
      error.hint!,
      /kubectl set selector service web .*, then run `/,
    );
    return true;
  });
});

Deno.test("the null that the original ktctl writes for a Service without a selector restores none", () => {
  const object = service(shadow, { "kt-selector": "null" });
  assert.equal(restored(object)?.op, "remove");
});
