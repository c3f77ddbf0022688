import assert from "node:assert/strict";
import { isRouterReadyWithin } from "../../../../src/cluster/router/is_router_ready_within.ts";
import { Cancelled } from "../../../../src/core/errors.ts";
import { within } from "../../../../src/core/within.ts";
import type {
  KubeObject,
  WatchEvent,
  WatchOptions,
} from "../../../../src/kube/kube_api.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";
import { made } from "../leftovers.ts";

const state = {
  namespace: "test",
  podName: "web-kt-router",
  podTarget: "AbC",
};

/** A pod that stays as it is, on an API server that does not come to listing events. */
class SlowKube extends MemoryKube {
  async *watch(
    _resource: unknown,
    { signal }: WatchOptions,
  ): AsyncGenerator<WatchEvent> {
    yield { type: "ADDED", object: this.object! };
    if (signal.aborted) return;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  }

  override list(): Promise<KubeObject[]> {
    return new Promise(() => {});
  }
}

function ready(
  status: KubeObject["status"],
  { signal = new AbortController().signal, name = state.podName } = {},
) {
  const kube = new SlowKube({ ...made("Pod", name, {}), status });
  return within(
    5_000,
    isRouterReadyWithin(kube.api, state, { signal, ms: 50 }),
  );
}

const READY = { conditions: [{ type: "Ready", status: "True" }] };

Deno.test("a Router Pod that is not ready is known to be so in time, however slow events are listed", async () => {
  assert.equal(await ready({}), false);
  assert.equal(await ready({ phase: "Failed" }), false);
  assert.equal(await ready(READY, { name: "web-kt-router-abcde" }), false);
});

Deno.test("a Router Pod that is ready is known to be so", async () => {
  assert.equal(await ready(READY), true);
});

Deno.test("who is cancelled does not take the router for one that is not ready", async () => {
  const signal = AbortSignal.abort(new Cancelled());
  await assert.rejects(ready({}, { signal }), Cancelled);
});
