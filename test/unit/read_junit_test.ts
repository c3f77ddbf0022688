import assert from "node:assert/strict";
import { readJunit } from "../../scripts/read_junit.ts";

Deno.test("a JUnit report is counted by outcome", () => {
  const xml = `<testsuites><testsuite>
    <testcase name="a" time="0"/>
    <testcase name="b" time="0"></testcase>
    <testcase name="c"><failure message="no">why</failure></testcase>
    <testcase name="d"><skipped/></testcase>
  </testsuite></testsuites>`;
  assert.deepEqual(readJunit(xml), { passed: 2, failed: 1, skipped: 1 });
});
