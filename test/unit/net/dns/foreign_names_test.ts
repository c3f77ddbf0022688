import assert from "node:assert/strict";
import { ForeignNames } from "../../../../src/net/dns/foreign_names.ts";

Deno.test("an exact host of one label is too wide only where programs look for it by themselves", () => {
  const names = new ForeignNames();
  for (const host of ["intranet", "mail", "dev", "shop"]) {
    assert.equal(names.isTooWide(host), false, host);
  }
  for (const host of ["wpad", "localhost", "*.dev", "*.mail", "co.uk"]) {
    assert.equal(names.isTooWide(host), true, host);
  }
  assert.equal(new ForeignNames(["wpad", "dev"]).isTooWide("wpad"), false);
  assert.equal(new ForeignNames(["wpad", "dev"]).isTooWide("*.dev"), false);
});
