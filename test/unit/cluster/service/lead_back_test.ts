import assert from "node:assert/strict";
import { leadBack } from "../../../../src/cluster/service/lead_back.ts";
import { SERVICES } from "../../../../src/kube/resources.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";
import { own } from "../leftovers.ts";

const shadow = { "kt-role": "shadow-exchange", "kt-target": "AbC" };
const original = { app: "web", hash: "5d" };
const ref = { resource: SERVICES, name: "web" };

async function ledBack(selector: Record<string, string>, holder = {}) {
  const kube = new MemoryKube(
    own("Service", "web", { selector }, {
      "kt-selector": '{"app":"web"}',
      ...holder,
    }),
  );
  await leadBack(kube.api, ref, { shadow, original: () => original });
  return kube;
}

Deno.test("a Service that would select nothing leads to its own pods, and stays its holder's", async () => {
  const holder = {
    "ktctl.dev/held-by": "alice",
    "ktctl.dev/held-since": "2026-01-01T00:00:00Z",
  };
  const { object } = await ledBack({ ...shadow, hash: "5d" }, holder);
  assert.deepEqual(object?.spec.selector, original);
  assert.deepEqual(object?.metadata.annotations, {
    ...holder,
    "kt-selector": '{"app":"web","hash":"5d"}',
  });
});

for (
  const selector of [shadow, { app: "web" }, { ...shadow, "kt-target": "X" }]
) {
  Deno.test(`a Service that selects ${JSON.stringify(selector)} is left as it is`, async () => {
    assert.equal((await ledBack(selector)).writes, 0);
  });
}
