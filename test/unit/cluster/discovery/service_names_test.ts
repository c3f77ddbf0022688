import assert from "node:assert/strict";
import { ServiceNames } from "../../../../src/cluster/discovery/service_names.ts";
import type {
  KubeObject,
  Resource,
  WatchEvent,
  WatchOptions,
} from "../../../../src/kube/kube_api.ts";
import { MemoryKube } from "../../../fakes/memory_kube.ts";

const HEADLESS: KubeObject = {
  metadata: { name: "db", namespace: "shop" },
  spec: { clusterIP: "None", clusterIPs: ["None"] },
};

/** A slice that somebody made by hand, as `addressType: FQDN` allows. */
const SLICE: KubeObject = {
  metadata: {
    name: "db-1",
    namespace: "shop",
    labels: { "kubernetes.io/service-name": "db" },
  },
  addressType: "FQDN",
  endpoints: [{ addresses: ["db.example.com"] }, { addresses: ["10.1.2.3"] }],
  ports: [],
};

class HeadlessKube extends MemoryKube {
  async *watch(
    { kind }: Resource,
    { signal }: WatchOptions,
  ): AsyncGenerator<WatchEvent> {
    yield { type: "ADDED", object: kind === "Service" ? HEADLESS : SLICE };
    yield { type: "SYNCED" };
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  }
}

Deno.test("of a headless Service's endpoints only addresses go into the hosts file", async () => {
  const ended = new AbortController();
  const { promise: known, resolve } = Promise.withResolvers<void>();
  const names = new ServiceNames(new HeadlessKube().api, ["shop"]);
  const following = names.follow(
    { signal: ended.signal, onChange: resolve },
    assert.fail,
  );
  await known;
  assert.deepEqual(names.services.map(({ addresses }) => addresses), [
    ["10.1.2.3"],
  ]);
  ended.abort();
  await following;
});
