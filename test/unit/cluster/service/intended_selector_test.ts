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
  return intendedSelector(service, { shadow, last, applied: {} });
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

const applied = (selector: Labels) =>
  JSON.stringify({ kind: "Service", spec: { selector, ports: [] } });

/** Who wrote the selector last, of two who have a say in it. */
function written(manager: string, operation: string) {
  const fieldsV1 = { "f:spec": { "f:selector": {} } };
  return [
    {
      ...{ manager: "ktctl", operation: "Update", fieldsV1 },
      time: "2026-01-01T00:00:02Z",
    },
    { manager, operation, fieldsV1, time: "2026-01-01T00:00:02Z" },
  ];
}

const kept = { app: "web", version: "v1" };

for (
  const { claim, merged, before = {}, now, by, meant } of [
    {
      claim: "a patch of one key leaves the others",
      merged: { version: "v2" },
      before: kept,
      now: kept,
      by: written("kubectl-patch", "Update"),
      meant: { app: "web", version: "v2" },
    },
    {
      claim: "a patch of one key leaves the others of what was never applied",
      merged: { version: "v2" },
      meant: { app: "web", version: "v2" },
    },
    {
      claim: "a patch that adds a key leaves the others",
      merged: { tier: "front" },
      before: { app: "web" },
      now: { app: "web" },
      meant: { app: "web", version: "v1", tier: "front" },
    },
    {
      claim: "the manifest of before, applied again, says what it said",
      merged: kept,
      before: kept,
      now: kept,
      by: written("kubectl-client-side-apply", "Update"),
      meant: kept,
    },
    {
      claim: "what a manifest has no more is taken away by kubectl apply",
      merged: { app: "web" },
      before: kept,
      now: { app: "web" },
      meant: { app: "web" },
    },
    {
      claim: "what no manifest has is left by kubectl apply",
      merged: { app: "web" },
      before: { app: "web" },
      now: { app: "web" },
      meant: kept,
    },
    {
      claim: "a first kubectl apply takes nothing away",
      merged: { app: "shop" },
      now: { app: "shop" },
      meant: { app: "shop", version: "v1" },
    },
    {
      claim: "an upgrade by Helm says all of it",
      merged: { "app.kubernetes.io/name": "web" },
      by: written("helm", "Update"),
      meant: { "app.kubernetes.io/name": "web" },
    },
    {
      claim: "a server-side apply that left our labels says all of it",
      merged: { app: "shop" },
      before: kept,
      now: kept,
      by: written("flux", "Apply"),
      meant: { app: "shop" },
    },
    {
      claim: "an annotation of kubectl that cannot be read says nothing",
      merged: { version: "v2" },
      before: {},
      now: "{",
      meant: { app: "web", version: "v2" },
    },
  ] as {
    claim: string;
    merged: Labels;
    before?: Labels;
    now?: Labels | string;
    by?: unknown[];
    meant: Labels;
  }[]
) {
  Deno.test(`drift: ${claim}`, () => {
    const service = own("Service", "web", {
      selector: { ...shadow, ...merged },
    }, {
      "kt-selector": JSON.stringify(kept),
      ...(now && {
        "kubectl.kubernetes.io/last-applied-configuration":
          typeof now === "string" ? now : applied(now),
      }),
    });
    if (by !== undefined) service.metadata["managedFields"] = by;
    assert.deepEqual(
      intendedSelector(service, { shadow, last, applied: before }),
      meant,
    );
  });
}
