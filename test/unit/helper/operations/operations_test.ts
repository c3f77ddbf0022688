import assert from "node:assert/strict";
import { OPERATIONS_BY_NAME } from "../../../../src/helper/operations/operations.ts";

Deno.test("an operation of the root helper answers to the name that plugins know it by", () => {
  for (const [name, operation] of Object.entries(OPERATIONS_BY_NAME)) {
    assert.equal(operation.name, name);
  }
});
