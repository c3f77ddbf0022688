import assert from "node:assert/strict";
import * as v from "valibot";
import { objectName } from "../../../src/kube/object_syntax.ts";

const SHADOW = `${"a".repeat(52)}-kt-exchange-abcde`;

for (
  const [name, holds] of [
    ["web", true],
    ["a.b-c.d", true],
    [SHADOW, true], // longer than a label
    ["a".repeat(253), true],
    ["a".repeat(254), false],
    ["", false],
    ["..", false],
    ["a..b", false],
    ["-a", false],
    ["a-", false],
    ["Web", false],
    ["a/b", false],
    ["a\n", false],
  ] as const
) {
  Deno.test(`${JSON.stringify(name.slice(0, 30))} (${name.length}) is ${holds ? "a name" : "no name"}`, () => {
    assert.equal(v.is(objectName, name), holds);
  });
}

Deno.test("whether a text of megabytes is a name is known at once", () => {
  for (const part of ["a", "-", "a.", "a-"]) {
    const began = performance.now();
    assert.equal(v.is(objectName, `${part.repeat(1 << 20)}!`), false);
    assert.ok(performance.now() - began < 2_000);
  }
});
