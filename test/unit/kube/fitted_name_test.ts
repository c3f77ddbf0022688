import assert from "node:assert/strict";
import fc from "fast-check";
import { fittedName } from "../../../src/kube/fitted_name.ts";

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const short = fc.stringMatching(/^[a-z]([-a-z0-9]{0,49}[a-z0-9])?$/);
const long = fc.stringMatching(/^[a-z][-a-z0-9]{50,61}[a-z0-9]$/);

Deno.test("a name that fits is as it is", () => {
  fc.assert(fc.property(short, (head) => {
    assert.equal(fittedName(head, "-kt-stuntman"), `${head}-kt-stuntman`);
  }));
});

Deno.test("one that does not is a name of the allowed length, with its end, the same each time", () => {
  fc.assert(fc.property(long, (head) => {
    const fitted = fittedName(head, "-kt-stuntman");
    assert.match(fitted, DNS_LABEL);
    assert.ok(fitted.length <= 63 && fitted.endsWith("-kt-stuntman"), fitted);
    assert.equal(fitted, fittedName(head, "-kt-stuntman"));
  }));
});

Deno.test("names that differ at their end alone differ when they are cut", () => {
  const long = "a".repeat(62);
  const cut = ["b", "c"].map((end) => fittedName(long + end, "-kt-stuntman"));
  assert.notEqual(cut[0], cut[1]);
});

Deno.test("a dash or a dot at the cut is left out", () => {
  const fitted = fittedName(`${"a".repeat(44)}--.${"b".repeat(16)}`, "-kt-x");
  assert.match(fitted, DNS_LABEL);
});
