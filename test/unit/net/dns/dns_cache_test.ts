import assert from "node:assert/strict";
import { DnsCache } from "../../../../src/net/dns/dns_cache.ts";
import { a, query, read, response } from "./packets.ts";

function setUp(options: { maxTtlS?: number; maxEntries?: number } = {}) {
  let nowMs = 0;
  let found = 0;
  const cache = new DnsCache({
    maxTtlS: 60,
    now: () => nowMs,
    ...options,
  });
  return {
    cache,
    found: () => found,
    wait: (seconds: number) => nowMs += seconds * 1000,
    ask: (asked: Uint8Array, ttl = 30) =>
      cache.answer(asked, () => {
        found++;
        const answer = response(asked, [a("a.test", "192.0.2.1", ttl)]);
        return Promise.resolve({ answer, cacheable: true });
      }),
  };
}

Deno.test("an answer is kept for as long as its records live, which get older meanwhile", async () => {
  const { ask, wait, found } = setUp();
  await ask(query("a.test"));
  wait(20);
  assert.deepEqual(read(await ask(query("a.test"))).ttls, [10]);
  assert.equal(found(), 1);
  wait(10);
  await ask(query("a.test"));
  assert.equal(found(), 2);
});

Deno.test("no answer is kept longer than the upper bound, nor said to live longer", async () => {
  const { ask, wait, found } = setUp({ maxTtlS: 5 });
  await ask(query("a.test"));
  wait(4);
  assert.deepEqual(read(await ask(query("a.test"))).ttls, [1]);
  wait(1);
  await ask(query("a.test"));
  assert.equal(found(), 2);
});

Deno.test("an upper bound of zero keeps nothing", async () => {
  const { ask, found } = setUp({ maxTtlS: 0 });
  await ask(query("a.test"));
  await ask(query("a.test"));
  assert.equal(found(), 2);
});

Deno.test("each asker gets its own id and letter case", async () => {
  const { ask, found } = setUp();
  await ask(query("a.test", "A", { id: 1 }));
  const second = read(await ask(query("A.tEst", "A", { id: 2 })));
  assert.deepEqual([second.id, second.question], [2, "A.tEst"]);
  assert.equal(found(), 1);
});

Deno.test("other types, and askers with EDNS, have answers of their own", async () => {
  const { ask, found } = setUp();
  await ask(query("a.test"));
  await ask(query("a.test", "AAAA"));
  await ask(query("a.test", "A", { udpBytes: 1232 }));
  assert.equal(found(), 3);
});

Deno.test("a question under way is not asked twice, and a failure is not kept", async () => {
  const { cache } = setUp();
  const waiting = Promise.withResolvers<never>();
  let found = 0;
  const find = () => {
    found++;
    return waiting.promise;
  };
  const both = [
    cache.answer(query("a.test", "A", { id: 1 }), find),
    cache.answer(query("a.test", "A", { id: 2 }), find),
  ];
  waiting.reject(new DOMException("down"));
  for (const one of both) await assert.rejects(one, { message: "down" });
  assert.equal(found, 1);
  await assert.rejects(cache.answer(query("a.test"), find));
  assert.equal(found, 2);
});

Deno.test("what is not to be kept, is not", async () => {
  const { cache } = setUp();
  let found = 0;
  const find = () => {
    found++;
    const answer = response(query("a.test"), [a("a.test", "192.0.2.1")]);
    return Promise.resolve({ answer, cacheable: false });
  };
  await cache.answer(query("a.test"), find);
  await cache.answer(query("a.test"), find);
  assert.equal(found, 2);
});

Deno.test("the oldest answers go first when there are too many", async () => {
  const { ask, found } = setUp({ maxEntries: 2 });
  for (const name of ["a.test", "b.test", "c.test"]) await ask(query(name));
  await ask(query("c.test"));
  assert.equal(found(), 3);
  await ask(query("a.test"));
  assert.equal(found(), 4);
});

Deno.test("an answer that was under way when everything was forgotten is not kept", async () => {
  const { cache, ask, found } = setUp();
  const late = Promise.withResolvers<{ answer: Uint8Array; cacheable: true }>();
  const asked = query("a.test");
  const first = cache.answer(asked, () => late.promise);
  cache.clear();
  const answer = response(asked, [a("a.test", "192.0.2.9")]);
  late.resolve({ answer, cacheable: true });
  await first;
  assert.deepEqual(read(await ask(asked)).records, ["a.test A 192.0.2.1"]);
  assert.equal(found(), 1);
});
