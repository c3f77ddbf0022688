import assert from "node:assert/strict";
import { KitSteps } from "../../../src/plugins/kit/kit_steps.ts";

Deno.test("a claim of the conformance kit that does not end fails, and says where it hung", async () => {
  const failed: string[] = [];
  const steps = new KitSteps({
    stepTimeoutMs: 50,
    step: (_claim, run) =>
      run().catch(({ message }) => {
        failed.push(message);
      }),
  });
  const never = () => new Promise<void>(() => {});
  assert.ok(!await steps.claim("it ends", () => steps.during("open()", never)));
  assert.ok(!await steps.claim("it ends too", never));
  assert.ok(
    await steps.claim(
      "it does",
      () => steps.during("open()", () => Promise.resolve()),
    ),
  );
  assert.deepEqual(failed, [
    '"it ends" did not end within 0.05 s: it hangs in open()',
    '"it ends too" did not end within 0.05 s',
  ]);
});
