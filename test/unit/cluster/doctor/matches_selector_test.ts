import assert from "node:assert/strict";
import { matchesSelector } from "../../../../src/cluster/keeper/matches_selector.ts";

const LABELS = { app: "web", tier: "front" };

for (
  const [selector, expected] of [
    [{}, true],
    [undefined, true],
    [{ matchLabels: { app: "web" } }, true],
    [{ matchLabels: { app: "db" } }, false],
    [{ matchLabels: { constructor: "web" } }, false],
    [
      { matchExpressions: [{ key: "app", operator: "In", values: ["web"] }] },
      true,
    ],
    [
      {
        matchExpressions: [{ key: "app", operator: "NotIn", values: ["web"] }],
      },
      false,
    ],
    [
      { matchExpressions: [{ key: "no", operator: "NotIn", values: ["web"] }] },
      true,
    ],
    [{ matchExpressions: [{ key: "tier", operator: "Exists" }] }, true],
    [{ matchExpressions: [{ key: "tier", operator: "DoesNotExist" }] }, false],
    [{ matchExpressions: [{ key: "tier", operator: "Odd" }] }, false],
    ["all of them", false],
  ] as const
) {
  Deno.test(`${JSON.stringify(selector)} selects: ${expected}`, () => {
    assert.equal(matchesSelector(selector, LABELS), expected);
  });
}
