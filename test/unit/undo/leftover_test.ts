import assert from "node:assert/strict";
import { cleanupError } from "../../../src/undo/leftover.ts";

const CLEAN = "Run `ktctl clean` when the cause is mended";

for (
  const [count, message, hint] of [
    [0, "broken", `${CLEAN}.`],
    [1, "1 change is left", `${CLEAN}, or the command above.`],
    [
      2,
      "2 changes are left",
      `${CLEAN}, or the commands above from the first to the last.`,
    ],
  ] as const
) {
  Deno.test(`where ${count} changes are left, as many commands are spoken of`, () => {
    const leftovers = Array.from({ length: count }, (_, at) => ({
      description: `Pod "p${at}"`,
      undoCommand: `kubectl delete pod p${at}`,
    }));
    const error = cleanupError([new Error("broken")], leftovers);
    assert.equal(error.message, `Cannot put everything back: ${message}`);
    assert.equal(error.hint, hint);
    const commands = error.details.filter((line) => line.includes("kubectl"));
    assert.equal(commands.length, count);
  });
}
