import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { planEvent } from "../../../../src/commands/dry_run/plan_event.ts";
import { PlanNotes } from "../../../../src/commands/dry_run/plan_notes.ts";
import type { PlannedChange } from "../../../../src/kube/plan/planned_objects.ts";
import { PODS, SERVICES } from "../../../../src/kube/resources.ts";

function service(app: string) {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "web" },
    spec: { selector: { app }, type: "ClusterIP" },
  };
}

const CHANGED: PlannedChange = {
  ...{ resource: SERVICES, name: "web", namespace: "shop" },
  ...{ before: service("web"), after: service("shadow") },
};
const GONE: PlannedChange = {
  ...{ resource: PODS, name: "old", namespace: "shop" },
  before: { metadata: { name: "old" } },
};
const MADE: PlannedChange = {
  ...{ resource: PODS, name: "new", namespace: "shop" },
  after: { apiVersion: "v1", kind: "Pod", metadata: { name: "new" } },
  unchecked: "a reason",
};

function event(
  output: "human" | "json" | "yaml",
  { left = [] }: { left?: PlannedChange[] } = {},
) {
  return planEvent({
    command: "exchange web",
    kube: { context: "dev", namespace: "shop" },
    planned: [CHANGED, GONE, MADE],
    left,
    undone: ["switched selector"],
    notes: new PlanNotes(),
    report: { warnings: [], ready: undefined },
  }, { output });
}

Deno.test("people read what would be done as sections, with a diff", () => {
  assert.equal(
    event("human").shown,
    `Dry run of "exchange web" in namespace "shop" of context "dev": nothing is changed.

Would create:
  Pod new (the server was not asked: a reason)

Would change:
  Service web
    @@ -4,5 +4,5 @@
       name: web
     spec:
       selector:
    -    app: web
    +    app: shadow
       type: ClusterIP

Would delete:
  Pod old

At the end, first to last, takes back:
  switched selector
  and then all of the above is as it was
`,
  );
});

Deno.test("what the end does not take back is named", () => {
  const { shown, ...told } = event("human", { left: [MADE] });
  assert.match(shown, /^Would stay after the end:\n {2}Pod new/m);
  assert.doesNotMatch(shown, /as it was/);
  const objects = told["objects"] as { name: string; isUndone?: boolean }[];
  assert.deepEqual(objects.map(({ name, isUndone }) => [name, isUndone]), [
    ["web", true],
    ["old", undefined],
    ["new", false],
  ]);
});

Deno.test("as YAML it is the objects, and what goes is a comment", () => {
  const { shown, message } = event("yaml");
  assert.equal(
    message,
    "Dry run: it would create 1 object, change 1 object, delete 1 object",
  );
  assert.match(shown, /^# would delete Pod old$/m);
  assert.deepEqual(parseAllDocuments(shown).map((one) => one.toJS()), [
    CHANGED.after,
    MADE.after,
  ]);
});
