import assert from "node:assert/strict";
import { retry } from "../../../src/core/retry.ts";

const { signal } = new AbortController();
const never = () => false;
const always = () => true;

Deno.test("what is in the way for a moment is tried again, and told each time", async () => {
  let attempts = 0;
  const told: unknown[] = [];
  const result = await retry(
    () => ++attempts < 3 ? Promise.reject(attempts) : Promise.resolve("done"),
    { signal, isPassing: (error) => told.push(error) > 0 },
  );
  assert.equal(result, "done");
  assert.deepEqual(told, [1, 2]);
});

Deno.test("what does not pass is not tried again", async () => {
  let attempts = 0;
  const work = () => Promise.reject(new Error(`no ${++attempts}`));
  await assert.rejects(retry(work, { signal, isPassing: never }), /no 1/);
});

Deno.test("the signal's end is its reason, also while the next attempt is waited for", async () => {
  const controller = new AbortController();
  const reason = new Error("Ctrl-C");
  const work = () => {
    setTimeout(() => controller.abort(reason), 1);
    return Promise.reject(new Error("away"));
  };
  await assert.rejects(
    retry(work, { signal: controller.signal, isPassing: always }),
    reason,
  );
});

Deno.test("what ends the wait ends it by its own error", async () => {
  const ended = Promise.withResolvers<never>();
  const work = () => {
    setTimeout(() => ended.reject(new Error("the scope failed")), 1);
    return Promise.reject(new Error("away"));
  };
  await assert.rejects(
    retry(work, { signal, isPassing: always, ended: ended.promise }),
    /the scope failed/,
  );
});
