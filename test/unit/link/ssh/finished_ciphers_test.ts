import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import { withFinishedCiphers } from "../../../../src/link/ssh/finished_ciphers.ts";
import crypto from "node:crypto";

const KEY = new Uint8Array(32);
const NONCE = new Uint8Array(16);

Deno.test("Deno keeps a cipher that was not finished", () => {
  // a system short of memory takes some back from the process meanwhile
  const rounds = [1, 2, 3].map(() =>
    growthMiB(() => createCipheriv("chacha20", KEY, NONCE))
  );
  const left = Math.max(...rounds);
  assert.ok(
    left > 20,
    `Only ${left} MiB were left: finished_ciphers.ts can go`,
  );
});

Deno.test("ciphers made while loading are finished, give the same bytes, and nothing stays changed", async () => {
  const before = crypto.createCipheriv;
  const create = await withFinishedCiphers(() =>
    Promise.resolve(crypto.createCipheriv)
  );
  assert.equal(crypto.createCipheriv, before);
  assert.deepEqual(
    create("chacha20", KEY, NONCE).update(new Uint8Array(100)),
    before("chacha20", KEY, NONCE).update(new Uint8Array(100)),
  );
  const left = growthMiB(() => create("chacha20", KEY, NONCE));
  assert.ok(left < 10, `${left} MiB were left`);
});

function growthMiB(make: () => { update(data: Uint8Array): unknown }): number {
  const data = new Uint8Array(8);
  for (let i = 0; i < 20_000; i++) make().update(data);
  const before = Deno.memoryUsage().rss;
  for (let i = 0; i < 150_000; i++) make().update(data);
  return (Deno.memoryUsage().rss - before) / 1024 / 1024;
}
