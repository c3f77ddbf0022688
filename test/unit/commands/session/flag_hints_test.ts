// What the command line adds to errors and warnings of the code below it.
import assert from "node:assert/strict";
import {
  hintWithFlags,
  warningWithFlags,
} from "../../../../src/commands/session/flag_hints.ts";
import { ClusterError } from "../../../../src/core/errors.ts";
import type { ErrorOptionsWithHint } from "../../../../src/core/errors.ts";

for (
  const [title, code, options, hint] of [
    [
      "an error of no flag keeps its hint",
      "NOTHING",
      { hint: "Wait." },
      "Wait.",
    ],
    ["an error without a hint gets none", "NOTHING", {}, undefined],
    ["a code that every object has is none", "constructor", {}, undefined],
    [
      "a flag comes after the hint",
      "NO_READY_POD",
      { hint: "Look." },
      "Look. Or raise --portForwardTimeout.",
    ],
    [
      "a flag may be all there is to say",
      "NRPT_OVERRULED",
      {},
      "Use --dnsMode hosts.",
    ],
    [
      "a hint that names the flag already is left as it is",
      "NO_READY_POD",
      { hint: "Give --portForwardTimeout 60." },
      "Give --portForwardTimeout 60.",
    ],
    [
      "who meshes a Service can be asked by exchange",
      "SERVICE_MESHED",
      { hint: "Ask alice to leave." },
      "Ask alice to leave. Or ask them with `ktctl exchange --takeOver`.",
    ],
    [
      "each remedy is a flag",
      "POD_NOT_READY",
      { hint: "Wait.", remedies: ["more-time", "tolerations"] },
      "Wait. Use --podCreationTimeout or --toleration key=value:effect.",
    ],
  ] satisfies [string, string, ErrorOptionsWithHint, string | undefined][]
) {
  Deno.test(title, () => {
    assert.equal(hintWithFlags(new ClusterError(code, "It", options)), hint);
  });
}

Deno.test("a warning gets its flag as a sentence of its own", () => {
  assert.equal(
    warningWithFlags("SERVICE_RANGE_PARTIAL", "There may be more"),
    "There may be more. Add ranges with --includeIps.",
  );
  assert.equal(warningWithFlags("NOTHING", "It is so"), "It is so");
});
