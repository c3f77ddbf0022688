import assert from "node:assert/strict";
import { ClusterError, ConflictError } from "../../../src/core/errors.ts";
import type {
  KubeObject,
  Resource,
  WatchEvent,
} from "../../../src/kube/kube_api.ts";
import { reconcileService } from "../../../src/plugins/routing/reconcile_service.ts";
import { MemoryKube } from "../../fakes/memory_kube.ts";
import { made } from "../cluster/leftovers.ts";

const service = made("Service", "mine", { session: "abcdefghij" });

/** Somebody deletes the Service; of the first creation after that the answer is lost. */
class LossyKube extends MemoryKube {
  isLost = true;

  // deno-lint-ignore require-await -- what it throws is to reject
  async create(_: Resource, object: KubeObject): Promise<KubeObject> {
    if (this.object !== undefined) {
      throw new ConflictError("ALREADY_EXISTS", "it is there");
    }
    this.object = object;
    if (this.isLost) throw new ClusterError("CLUSTER_UNREACHABLE", "away");
    return object;
  }

  async *watch(): AsyncGenerator<WatchEvent> {
    yield { type: "DELETED", object: service };
  }
}

/** Somebody was faster than the first look. */
class GoneKube extends LossyKube {
  override isLost = false;

  override async *watch(): AsyncGenerator<WatchEvent> {
    yield { type: "SYNCED" };
  }
}

async function reconciled(
  kube: LossyKube,
  its: KubeObject = service,
): Promise<string[]> {
  const warned: string[] = [];
  const log = {
    warn: (code: string) => void warned.push(code),
    ...{ info: () => {}, debug: () => {} },
  };
  const { signal } = new AbortController();
  await reconcileService({ kube: kube.api, log, service: its }, signal);
  return warned;
}

Deno.test("a preview's Service that was made again without an answer is its own", async () => {
  const warned = await reconciled(new LossyKube());
  assert.equal(warned.at(-1), "SERVICE_DELETED");
});

Deno.test("a Service that somebody else made meanwhile is not", async () => {
  const kube = new LossyKube();
  kube.object = made("Service", "mine", { session: "klmnopqrst" });
  await assert.rejects(reconciled(kube), { code: "SERVICE_TAKEN" });
});

Deno.test("a Service that was deleted before anybody looked is made again", async () => {
  assert.deepEqual(await reconciled(new GoneKube()), ["SERVICE_DELETED"]);
});

Deno.test("one that is made again is alive from then on", async () => {
  const kube = new GoneKube();
  const old = made("Service", "mine", {
    ...{ session: "abcdefghij", heartbeat: "1" },
  });
  await reconciled(kube, old);
  const { annotations } = kube.object!.metadata;
  assert.equal(annotations?.["kt-last-heart-beat"], String(kube.now()));
});

Deno.test("one whose address somebody else has by now ends the session", async () => {
  const kube = new GoneKube();
  kube.create = () =>
    Promise.reject(
      new ClusterError("INVALID_OBJECT", "10.96.0.7 is already allocated"),
    );
  await assert.rejects(reconciled(kube), {
    code: "SERVICE_TAKEN",
    message: /cannot be made again as it was: 10\.96\.0\.7 is already/,
  });
});
