import assert from "node:assert/strict";
import {
  failedTests,
  fileSeconds,
  readJunit,
} from "../../scripts/read_junit.ts";

Deno.test("a JUnit report is counted by outcome", () => {
  const xml = `<testsuites><testsuite>
    <testcase name="a" time="0"/>
    <testcase name="b" time="0"></testcase>
    <testcase name="c"><failure message="no">why</failure></testcase>
    <testcase name="d"><skipped/></testcase>
  </testsuite></testsuites>`;
  assert.deepEqual(readJunit(xml), { passed: 2, failed: 1, skipped: 1 });
});

Deno.test("a file's time in a JUnit report is that of its tests, their steps within; the longest comes first", () => {
  const xml = `<testcase name="a" classname="./x_test.ts" time="1.5"/>
    <testcase name="b" classname="./y_test.ts" time="20.25"></testcase>
    <testcase name="b &gt; step" classname="./y_test.ts" time="20"/>
    <testcase name="&quot;c&quot; &amp; d" classname="./x_test.ts" time="3"/>`;
  assert.deepEqual(fileSeconds(xml), [
    { file: "./y_test.ts", seconds: 20.25 },
    { file: "./x_test.ts", seconds: 4.5 },
  ]);
});

Deno.test("a test of a JUnit report that failed is told with the steps in which it did", () => {
  const xml =
    `<testcase name="a" classname="./x_test.ts" time="1"><failure message="1 test step failed.">1 test step failed.</failure></testcase>
    <testcase name="b" classname="./x_test.ts"/>
    <testcase name="a" classname="./y_test.ts"></testcase>
    <testcase name="a &gt; one" classname="./x_test.ts"></testcase>
    <testcase name="a &gt; two" classname="./x_test.ts"><failure message="no">why &lt;not&gt;</failure></testcase>`;
  assert.deepEqual(failedTests(xml), [
    {
      file: "./x_test.ts",
      name: "a",
      cases: 2,
      reasons: ["two: why <not>"],
    },
  ]);
});
