import assert from "node:assert/strict";
import { intendedSelector } from "../../../../src/cluster/service/intended_selector.ts";
import { own } from "../leftovers.ts";

type Labels = Record<string, string>;

const shadow = { "kt-role": "shadow-exchange", "kt-target": "Ours" };
const theirs = { "kt-role": "shadow-exchange", "kt-target": "Theirs" };
const last = { app: "last" };

function meant(selector: Labels, kept?: Labels): Labels {
  const annotations = kept === undefined
    ? {}
    : { "kt-selector": JSON.stringify(kept) };
  const service = own("Service", "web", { selector }, annotations);
  return intendedSelector(service, { shadow, last });
}

for (
  const [claim, selector, kept, expected] of [
    [
      "a selector that somebody set is meant",
      { app: "new" },
      { app: "kept" },
      { app: "new" },
    ],
    ["what was applied beside ours is meant", { ...shadow, app: "new" }, {
      app: "kept",
    }, { app: "new" }],
    ["ours alone says nothing: kt-selector does", shadow, { app: "kept" }, {
      app: "kept",
    }],
    ["without kt-selector, the last known is meant", shadow, undefined, last],
    ["another session's selector is never meant", theirs, { app: "kept" }, {
      app: "kept",
    }],
    ["another session's selector without kt-selector", theirs, undefined, last],
    ["another session's selector in kt-selector too", theirs, theirs, last],
    ["another session's selector in kt-selector alone", shadow, theirs, last],
  ] as const
) {
  Deno.test(`drift: ${claim}`, () => {
    assert.deepEqual(meant(selector, kept), expected);
  });
}
