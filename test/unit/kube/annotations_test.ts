import assert from "node:assert/strict";
import fc from "fast-check";
import {
  includesLabels,
  isSwitched,
  labelSelector,
  originalSelector,
  parseConfig,
  parseSelector,
  sameLabels,
  selectorJson,
  stuntmanName,
} from "../../../src/kube/annotations.ts";

const labels = fc.dictionary(
  fc.oneof(
    fc.stringMatching(
      /^([a-z]([-a-z0-9]{0,5}[a-z0-9])?\.?[a-z0-9]{1,5}\/)?[A-Za-z0-9]([-_.A-Za-z0-9]{0,5}[a-z0-9])?$/,
    ),
    fc.constantFrom("constructor", "toString", "app.kubernetes.io/name"),
  ),
  fc.stringMatching(/^([A-Za-z0-9]([-_.A-Za-z0-9]{0,20}[a-zA-Z0-9])?)?$/),
);

Deno.test("kt-selector reads back as it was written", () => {
  fc.assert(fc.property(labels, (selector) => {
    assert.deepEqual({ ...parseSelector(selectorJson(selector)) }, {
      ...selector,
    });
  }));
});

Deno.test("kt-selector is the same text for the same selector, in the form of the original ktctl", () => {
  assert.equal(
    selectorJson({ tier: "front", app: "web" }),
    '{"app":"web","tier":"front"}',
  );
});

for (
  const text of [
    undefined,
    "",
    "null",
    "[]",
    '["app"]',
    '{"a":1}',
    "{",
    "web",
    '{"a":"b,kt-role!=x"}',
    '{"a":"b c"}',
    '{"a=b":"c"}',
    '{"a":"-b"}',
    '{"__proto__":"a"}',
    '{"a/b/c":"d"}',
    `{"a":"${"b".repeat(64)}"}`,
    `{"a":"b"}${" ".repeat(300_000)}`,
    JSON.stringify(
      Object.fromEntries(
        Array.from({ length: 257 }, (_, at) => [`a${at}`, ""]),
      ),
    ),
  ]
) {
  Deno.test(`kt-selector ${JSON.stringify(text?.slice(0, 30))} (${text?.length} characters) is no selector`, () => {
    assert.equal(parseSelector(text), undefined);
  });
}

Deno.test("the original selector is that of the annotation, else the Service's own", () => {
  const spec = { selector: { "kt-role": "router" } };
  const taken = (annotations: Record<string, string>) =>
    originalSelector({ metadata: { name: "web", annotations }, spec });
  assert.deepEqual(taken({ "kt-selector": '{"app":"web"}' }), { app: "web" });
  assert.deepEqual(taken({}), { "kt-role": "router" });
  assert.deepEqual(originalSelector({ metadata: { name: "web" } }), {});
});

Deno.test("kt-config is read as the original ktctl writes it, and survives what it does not know", () => {
  assert.deepEqual(
    [...parseConfig("app=web, replicas=2,flag,x=a=b,")],
    [["app", "web"], ["replicas", "2"], ["x", "a=b"]],
  );
  assert.equal(parseConfig(undefined).size, 0);
  assert.equal(parseConfig("").size, 0);
  assert.equal(parseConfig(`app=web,${"x".repeat(10_000)}`).size, 0);
});

Deno.test("labels are compared by all their pairs, in whatever order", () => {
  fc.assert(fc.property(labels, labels, (a, b) => {
    assert.ok(includesLabels({ ...a, ...b }, b));
    const reversed = Object.fromEntries(Object.entries(a).reverse());
    assert.ok(sameLabels(a, reversed));
    assert.equal(
      sameLabels(a, b),
      includesLabels(a, b) && Object.keys(a).length === Object.keys(b).length,
    );
  }));
  assert.ok(sameLabels(undefined, {}));
  assert.ok(!sameLabels(undefined, { a: "b" }));
  assert.ok(!includesLabels({ a: "b" }, { a: "c" }));
});

Deno.test("a selector is switched when it names a role, and only then", () => {
  assert.ok(isSwitched({ "kt-role": "shadow-exchange", "kt-target": "AbC" }));
  assert.ok(!isSwitched({ app: "web" }));
  assert.ok(!isSwitched(undefined));
});

Deno.test("names and selectors have the text that the original ktctl looks for", () => {
  assert.equal(stuntmanName("web"), "web-kt-stuntman");
  assert.equal(
    labelSelector({ app: "web", tier: "front" }),
    "app=web,tier=front",
  );
});

Deno.test("a kt-selector that leads to a shadow is no Service's own selector", () => {
  const kept = '{"kt-role":"shadow-exchange","kt-target":"AbC"}';
  assert.equal(parseSelector(kept), undefined);
});
