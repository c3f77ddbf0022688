import assert from "node:assert/strict";
import { RetargetedWatch } from "../../../../src/cluster/service/retargeted_watch.ts";

Deno.test("where a router is made anew under another target, the pods of that one are watched, and no more those of the former", async () => {
  const watched = new RetargetedWatch();
  const log: string[] = [];
  const end = new AbortController();
  let begun = Promise.withResolvers<void>();
  watched.target = "first";
  const running = watched.run(async (target, signal) => {
    log.push(`begin ${target}`);
    begun.resolve();
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    log.push(`end ${target}`);
  }, end.signal);
  await begun.promise;
  watched.target = "first";
  begun = Promise.withResolvers<void>();
  watched.target = "second";
  await begun.promise;
  end.abort();
  await running;
  assert.deepEqual(log, [
    "begin first",
    "end first",
    "begin second",
    "end second",
  ]);
});

Deno.test("a watch that ends by itself, or fails, is not begun again", async () => {
  const watched = new RetargetedWatch();
  const { signal } = new AbortController();
  let count = 0;
  await watched.run(() => Promise.resolve(void count++), signal);
  assert.equal(count, 1);
  const failing = watched.run(() => Promise.reject(new Error("no")), signal);
  await assert.rejects(failing, /no/);
});
