import assert from "node:assert/strict";
import { keepShadow } from "../../../../src/cluster/shadow/keep_shadow.ts";
import type { ShadowSpec } from "../../../../src/cluster/shadow/shadow_objects.ts";
import { SERVICES } from "../../../../src/kube/resources.ts";
import type { World } from "../../../../src/kube/world.ts";
import type { Scope } from "../../../../src/undo/scope.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";

Deno.test("where the Stuntman Service is gone, nothing keeps the Shadow Pod, and that is told", async () => {
  const told: string[] = [];
  const scope = {
    world: { kube: new MemoryKube().api },
    signal: new AbortController().signal,
  } as unknown as Scope<World>;
  const spec = {
    keptWith: { resource: SERVICES, name: "web-kt-stuntman" },
    pod: { asDeployment: false },
  } as unknown as ShadowSpec;
  const keeper = await keepShadow(scope, spec, {
    parts: { source: "", keysDigest: "" },
    keys: { hostPrivateKey: "", clientPublicKey: "" },
    onUnkept: ({ code, message }) => told.push(`${code} ${message}`),
  });
  assert.equal(keeper, undefined);
  assert.match(told.join(), /^STUNTMAN_DELETED Service "web-kt-stuntman"/);
});
