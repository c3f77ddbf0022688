import assert from "node:assert/strict";
import { kitHelper } from "../../../src/plugins/kit/kit_helper.ts";

Deno.test("in an author's test the kit starts ktctl's helper as root, and not that test", async () => {
  const { signal } = new AbortController();
  const { argv, stdin } = await kitHelper(signal);
  assert.ok(argv.includes("__helper"));
  assert.doesNotMatch(argv.join(" "), /kit_helper_test|test\.m?[jt]s/);
  assert.match(new TextDecoder().decode(stdin), /runHelper/);
});
