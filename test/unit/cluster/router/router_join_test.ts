import assert from "node:assert/strict";
import { joinRouterStep } from "../../../../src/cluster/router/router_join.ts";
import { ConflictError } from "../../../../src/core/errors.ts";

Deno.test("a join that fails behind its entry in the record has something to take back", () => {
  const isRefusal = (code: string) =>
    joinRouterStep.isRefusal!(new ConflictError(code, "no"));
  for (const code of ["ROUTER_CLOSING", "MARK_TAKEN", "ROUTER_FULL"]) {
    assert.equal(isRefusal(code), true, code);
  }
  // of the Stuntman Service, which is made when the entry is there
  assert.equal(isRefusal("STUNTMAN_NAME_TAKEN"), false);
});
