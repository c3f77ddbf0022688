import assert from "node:assert/strict";
import { gapsOf } from "../../cluster/request_log.ts";

/** One request a second; `-` has no answer. */
function requests(answers: string) {
  return [...answers].map((one, at) => ({
    at,
    answer: one === "-" ? undefined : one,
  }));
}

for (
  const [answers, gaps] of [
    ["aabb", []],
    ["aa-b", [2]],
    ["a-b--a", [2, 3]],
    ["--ab", [2]],
    // nobody answers any more
    ["aab--", [2]],
    ["----", [3]],
  ] as const
) {
  Deno.test(`requests with the answers ${answers} have gaps of ${gaps.join() || "0"} s`, () => {
    assert.deepEqual(gapsOf(requests(answers)), gaps);
  });
}
