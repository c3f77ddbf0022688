import assert from "node:assert/strict";
import fc from "fast-check";
import { terminalJson, terminalText } from "../../../src/core/terminal_text.ts";

/** What no terminal may get: controls but tab and newline, and overrides of the order. */
const OBEYED =
  // deno-lint-ignore no-control-regex -- they are what it is about
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/;

Deno.test("what a terminal would obey is written out", () => {
  for (
    const [text, safe] of [
      ["\x1b]0;title\x07\x1b[2J", "^[]0;title^G^[[2J"],
      ["safe\rlie", "safe^Mlie"],
      ["\x7f\x00", "^?^@"],
      ["\x9b31mred", "\\u009b31mred"],
      ["a\u202eb\u2066c", "a\\u202eb\\u2066c"],
      ["one\r\ntwo\n\tthree", "one\ntwo\n\tthree"],
      ["Käse 🧀 \u05e9", "Käse 🧀 \u05e9"],
    ] as const
  ) assert.equal(terminalText(text), safe);
});

Deno.test("no text gets a terminal to obey, and as JSON it still means the same", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.doesNotMatch(terminalText(text), OBEYED);
    const json = terminalJson(JSON.stringify({ text }));
    assert.doesNotMatch(json, OBEYED);
    assert.deepEqual(JSON.parse(json), { text });
  }));
});

Deno.test("a text without end is cut, and says so", () => {
  assert.equal(
    terminalText("x".repeat(10_000)),
    `${"x".repeat(4000)} … (6000 more characters)`,
  );
});
