import assert from "node:assert/strict";
import { Answers } from "../../faults/answers.ts";

/** A mark for each 100 ms: `.` is an answer. */
function answers(text: string): Answers {
  const all = new Answers();
  [...text].forEach((mark, at) => {
    if (mark === "." || at === 0 || at === text.length - 1) all.add(at * 100);
  });
  return all;
}

Deno.test("a silence lasts from one answer to the next, from the first request, and to the last", () => {
  for (
    const [text, ms] of [
      [".", 0],
      ["....", 100],
      [". ..", 200],
      ["     ..", 500],
      ["..      ", 600],
      ["..   .. .", 400],
    ] as const
  ) {
    const always = answers(".".repeat(text.length));
    assert.equal(answers(text).longestSilenceMs(always), ms, text);
  }
});

Deno.test("what another Service did not answer either is no silence: the machine stood still", () => {
  for (
    const [text, control, ms, stillMs] of [
      ["..         ..", "..         ..", 100, 1_000],
      ["..         ..", "..    .......", 500, 500],
      ["..         ..", "........   ..", 600, 400],
      // that one is a little late is usual
      ["..         ..", "..  .........", 1_000, 0],
      ["..         ..", "....     ....", 400, 600],
    ] as const
  ) {
    assert.equal(answers(text).longestSilenceMs(answers(control)), ms, text);
    assert.equal(answers(control).stoodStillMs(answers(text)), stillMs);
  }
});

Deno.test("whoever is asked tells for how long it has been answering", () => {
  assert.equal(answers("......").answeringMs(), 500);
  assert.equal(answers("..            ......").answeringMs(), 500);
  assert.equal(answers("..  .  .......").answeringMs(), 1_300);
  assert.equal(answers("").answeringMs(), 0);
});
