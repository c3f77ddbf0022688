import assert from "node:assert/strict";
import fc from "fast-check";
import { wrapText } from "../../../src/cli/wrap_text.ts";

Deno.test("lines are broken at spaces, and go on indented", () => {
  assert.equal(
    wrapText("Error: there is no such Service", 16),
    "Error: there is\n  no such\n  Service",
  );
});

Deno.test("a command in backquotes stays in one piece", () => {
  assert.equal(
    wrapText("Run `kubectl get svc -A` to see", 12),
    "Run\n  `kubectl get svc -A`\n  to see",
  );
});

Deno.test("a command that undoes something stays in one piece, whatever is in it", () => {
  const command = "sudo sed -i '/^# `a b`/d' /etc/hosts";
  assert.equal(
    wrapText(`Left behind: a line; to undo: ${command}`, 16),
    `Left behind: a\n  line;\n  to undo: ${command}`,
  );
});

Deno.test("without a terminal only further lines are indented", () => {
  assert.equal(wrapText("a b c\nd e", undefined), "a b c\n  d e");
});

Deno.test("no word is lost or broken, and a line is too long for a word's sake alone", () => {
  const text = fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 });
  fc.assert(
    fc.property(text, fc.integer({ min: 4, max: 40 }), (words, width) => {
      const lines = wrapText(words.join(" "), width).split("\n");
      assert.deepEqual(lines.flatMap((line) => line.trim().split(" ")), words);
      for (const line of lines) {
        assert.ok(line.length <= width || !line.trim().includes(" "), line);
      }
    }),
  );
});
