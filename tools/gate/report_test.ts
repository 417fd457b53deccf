import assert from "node:assert/strict";
import { describeStage, describeSuite } from "./report.ts";

Deno.test("describeStage() is one line when all is well", () => {
  assert.equal(
    describeStage("lint", { code: 0, output: "Checked 4 files\n", seconds: 1.26 }),
    "ok    lint                        1.3 s\n",
  );
});

Deno.test("describeStage() shows the output of what failed", () => {
  const text = describeStage("lint", { code: 1, output: "error: a\nerror: b\n", seconds: 0.5 });
  assert.match(text, /^FAIL +lint /);
  assert.match(text, /\n +error: a\n +error: b\n$/);
});

Deno.test("describeSuite() gives the numbers and the skipped tests", () => {
  const text = describeSuite("unit", {
    tally: { passed: 4, failed: 0, skipped: ["a_test.ts: b"] },
    skippedBecause: undefined,
    output: "noise",
    seconds: 2,
  });
  assert.match(text, /^ok +unit .* 2\.0 s +4 passed, 0 failed\n/);
  assert.match(text, /\n +skipped: a_test\.ts: b\n$/);
  assert.doesNotMatch(text, /noise/);
});

Deno.test("describeSuite() shows the output of failed tests", () => {
  const text = describeSuite("unit", {
    tally: { passed: 4, failed: 1, skipped: [] },
    skippedBecause: undefined,
    output: "AssertionError: planted",
    seconds: 2,
  });
  assert.match(text, /^FAIL +unit /);
  assert.match(text, /planted/);
});

Deno.test("describeSuite() begins with the errors, which the runner puts last", () => {
  const text = describeSuite("unit", {
    tally: { passed: 1, failed: 1, skipped: [] },
    skippedBecause: undefined,
    output: "a ... ok\nb ... FAILED\n\n ERRORS \n\nb => ./b_test.ts\nplanted\n",
    seconds: 2,
  });
  assert.match(text, /^FAIL .*\n +ERRORS \n[^]*planted[^]*a \.\.\. ok\n +b \.\.\. FAILED\n$/);
});

Deno.test("describeSuite() says why a suite did not run, and that CI does not accept it", () => {
  const skipped = (failed: number) =>
    describeSuite("interop", {
      tally: { passed: 0, failed, skipped: [] },
      skippedBecause: "no Python",
      output: "",
      seconds: 0,
    });
  assert.match(skipped(0), /^skip +interop +skipped: no Python\n$/);
  assert.match(skipped(1), /^FAIL +interop +skipped: no Python\n$/);
});
