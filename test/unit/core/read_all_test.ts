import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { LinkError } from "../../../src/core/errors.ts";
import { readAll } from "../../../src/core/read_all.ts";

const { signal } = new AbortController();

Deno.test("an answer is read to its end, or to its last words", async () => {
  const whole = new PassThrough();
  whole.end("a\u00e9b");
  assert.equal(await readAll(whole, { signal, maxBytes: 4 }), "a\u00e9b");
  const open = new PassThrough();
  open.write("abc\n\n");
  assert.equal(
    await readAll(open, { signal, maxBytes: 5, end: "\n\n" }),
    "abc\n\n",
  );
});

Deno.test("an answer without end is given up, and its stream with it", async () => {
  const stream = new PassThrough();
  const timer = setInterval(() => stream.write("x".repeat(1_000)), 1);
  try {
    await assert.rejects(
      readAll(stream, { signal, maxBytes: 10_000 }),
      (error) => error instanceof LinkError && error.code === "ANSWER_TOO_LONG",
    );
    assert.ok(stream.destroyed);
  } finally {
    clearInterval(timer);
  }
});

Deno.test("an answer that does not come is given up at the signal", async () => {
  await assert.rejects(
    readAll(new PassThrough(), {
      signal: AbortSignal.timeout(20),
      maxBytes: 10,
    }),
    { name: "AbortError" },
  );
});
