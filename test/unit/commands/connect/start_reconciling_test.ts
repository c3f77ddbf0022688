import assert from "node:assert/strict";
import { startReconciling } from "../../../../src/commands/connect/start_reconciling.ts";
import { aborted } from "../../../../src/core/aborted.ts";
import { Scope } from "../../../../src/undo/scope.ts";
import type { World } from "../../../../src/kube/world.ts";
import { MemoryJournal } from "../../core/memory_journal.ts";

/** Works at one change, and says that it is due again in so long, the first time. */
async function reconcileOnce(againInMs: number) {
  const controller = new AbortController();
  const scope = Scope.root<World>({
    world: {} as World,
    journal: new MemoryJournal(),
    signal: controller.signal,
  });
  const twice = Promise.withResolvers<void>();
  let count = 0;
  await startReconciling(scope, {
    name: "test",
    follow: async ({ signal, onChange }) => {
      onChange();
      await aborted(signal).catch(() => {});
    },
    work: () => {
      if (++count === 2) twice.resolve();
      return Promise.resolve(count === 1 ? againInMs : undefined);
    },
  });
  return { scope, twice: twice.promise, count: () => count };
}

Deno.test("what is due again without a change is done again", async () => {
  const { scope, twice } = await reconcileOnce(1);
  await twice;
  await scope.dispose();
});

Deno.test({
  name: "nothing is due once the scope has ended",
  sanitizeOps: true, // a timer that is left fails it
  sanitizeResources: true,
  async fn() {
    const { scope, count } = await reconcileOnce(60_000);
    await scope.dispose();
    assert.equal(count(), 1);
  },
});
