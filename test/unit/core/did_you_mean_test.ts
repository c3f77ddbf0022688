import assert from "node:assert/strict";
import { didYouMean } from "../../../src/core/did_you_mean.ts";

Deno.test("didYouMean() finds the name with one wrong letter", () => {
  assert.equal(didYouMean("wob", ["api", "web", "db"]), "web");
});

Deno.test("didYouMean() counts two swapped letters as one slip", () => {
  assert.equal(didYouMean("bd", ["db"]), "db");
});

Deno.test("didYouMean() ignores case", () => {
  assert.equal(didYouMean("WEB", ["web"]), "web");
});

Deno.test("didYouMean() takes the nearest, not the first near one", () => {
  assert.equal(
    didYouMean("checkuot", ["checks", "checkouts", "checkout"]),
    "checkout",
  );
});

Deno.test("didYouMean() stays silent where nothing is near", () => {
  assert.equal(didYouMean("payments", ["web", "db"]), undefined);
  assert.equal(didYouMean("ab", ["xy"]), undefined);
  assert.equal(didYouMean("web", []), undefined);
});
