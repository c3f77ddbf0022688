import assert from "node:assert/strict";
import * as errors from "../../../src/core/errors.ts";
import { fromWireError, toWireError } from "../../../src/helper/wire_error.ts";

Deno.test("every class of error comes over the wire as what it was", () => {
  const classes = Object.entries(errors).filter(([name, value]) =>
    typeof value === "function" && value.prototype instanceof Error &&
    name !== "KtctlError" && name !== "Cancelled"
  );
  assert.ok(classes.length >= 10);
  for (const [name, Class] of classes) {
    const sent = new (Class as typeof errors.UsageError)("CODE", "Message", {
      hint: "Hint.",
      details: ["one", "two"],
    });
    const got = fromWireError(JSON.parse(JSON.stringify(toWireError(sent))));
    assert.equal(got.constructor, Class, name);
    assert.ok(got instanceof errors.KtctlError);
    const { code, message, hint, details, exitCode } = got;
    assert.deepEqual(
      { code, message, hint, details, exitCode },
      {
        code: "CODE",
        message: "Message",
        hint: "Hint.",
        details: ["one", "two"],
        exitCode: sent.exitCode,
      },
    );
  }
});

Deno.test("a cancellation stays one, and a defect stays a defect", () => {
  const cancelled = fromWireError(toWireError(new errors.Cancelled("why")));
  assert.ok(cancelled instanceof errors.Cancelled);
  assert.equal(cancelled.message, "why");
  const wire = toWireError(new RangeError("boom"));
  assert.equal(wire.exitCode, errors.INTERNAL_EXIT_CODE);
  const defect = fromWireError(wire);
  assert.ok(!(defect instanceof errors.KtctlError));
  assert.match(defect.message, /boom/);
});
