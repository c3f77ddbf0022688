import assert from "node:assert/strict";
import { randomLetters, randomLower } from "../../../src/core/random_name.ts";

Deno.test("random names have the length asked for, and letters only", () => {
  for (const length of [0, 1, 5, 20]) {
    assert.match(randomLower(length), new RegExp(`^[a-z]{${length}}$`));
    assert.match(randomLetters(length), new RegExp(`^[a-zA-Z]{${length}}$`));
  }
});

Deno.test("random names use their whole alphabet, and do not come twice", () => {
  assert.equal(new Set(randomLower(5_000)).size, 26);
  assert.equal(new Set(randomLetters(10_000)).size, 52);
  const names = Array.from({ length: 1_000 }, () => randomLetters(20));
  assert.equal(new Set(names).size, names.length);
});
