import assert from "node:assert/strict";
import { addTallies, closingLine, EMPTY_TALLY, tallyReport } from "./junit.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="5" failures="1" errors="1" time="0.3">
  <testsuite name="./a_test.ts" tests="4" disabled="1" errors="0" failures="1">
    <testcase name="good" classname="./a_test.ts" time="0.000" line="8" col="6">
    </testcase>
    <testcase name="skip &lt;me&gt; &amp; &quot;you&quot;" classname="./a_test.ts" time="0.000">
      <skipped/>
    </testcase>
    <testcase name="bad" classname="./a_test.ts" time="0.003" line="10" col="6">
      <failure message="1 test step failed">1 test step failed.</failure>
    </testcase>
    <testcase name="short" classname="./a_test.ts"/>
  </testsuite>
  <testsuite name="./c_test.ts" tests="1" disabled="0" errors="1" failures="0">
    <testcase name="hang" classname="./c_test.ts" time="0.000" line="1" col="6">
      <error message="Cancelled"/>
    </testcase>
  </testsuite>
</testsuites>`;

Deno.test("tallyReport() counts cases that passed, failed and ended in an error", () => {
  const tally = tallyReport(REPORT);
  assert.equal(tally.passed, 2);
  assert.equal(tally.failed, 2);
});

Deno.test("tallyReport() names the skipped cases with their file, unescaped", () => {
  assert.deepEqual(tallyReport(REPORT).skipped, ['./a_test.ts: skip <me> & "you"']);
});

Deno.test("tallyReport() does not let a case without a body swallow the next one", () => {
  const tally = tallyReport(
    '<testcase name="a" classname="f"/><testcase name="b" classname="f"><failure/></testcase>',
  );
  assert.deepEqual(tally, { passed: 1, failed: 1, skipped: [] });
});

Deno.test("tallyReport() is not misled by words in a test's name", () => {
  const tally = tallyReport(
    '<testcase name="throws on &lt;failure&gt;" classname="f"></testcase>',
  );
  assert.deepEqual(tally, { passed: 1, failed: 0, skipped: [] });
});

Deno.test("tallyReport() finds nothing in an empty report", () => {
  assert.deepEqual(tallyReport(""), EMPTY_TALLY);
});

Deno.test("addTallies() adds the numbers and joins the names", () => {
  const a = { passed: 1, failed: 2, skipped: ["a"] };
  const b = { passed: 10, failed: 20, skipped: ["b"] };
  assert.deepEqual(addTallies(a, b), { passed: 11, failed: 22, skipped: ["a", "b"] });
});

Deno.test("closingLine() is the line that other tools read", () => {
  assert.equal(closingLine({ passed: 12, failed: 0, skipped: ["x"] }), "12 passed, 0 failed");
});
