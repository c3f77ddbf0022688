import assert from "node:assert/strict";
import { isAskedFor } from "../../../../src/kube/plan/object_query.ts";

const OBJECT = {
  metadata: { name: "web", labels: { app: "web", "kt-role": "shadow" } },
  status: { phase: "Running" },
};

for (
  const [selectors, isIt] of [
    [{}, true],
    [{ labelSelector: "app=web,kt-role=shadow" }, true],
    [{ labelSelector: "app==api" }, false],
    [{ labelSelector: "app!=web" }, false],
    [{ labelSelector: "other!=web" }, true],
    [{ labelSelector: "app in (api, web),kt-role" }, true],
    [{ labelSelector: "app notin (api,web)" }, false],
    [{ labelSelector: "other notin (api)" }, true],
    [{ labelSelector: "!app" }, false],
    [{ labelSelector: "!other" }, true],
    [{ fieldSelector: "metadata.name=web,status.phase!=Failed" }, true],
    [{ fieldSelector: "metadata.name=api" }, false],
  ] as const
) {
  const text = JSON.stringify(selectors);
  Deno.test(`a list by ${text} ${isIt ? "has" : "does not have"} the object`, () => {
    assert.equal(isAskedFor(OBJECT, selectors), isIt);
  });
}
