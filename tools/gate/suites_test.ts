import assert from "node:assert/strict";
import { EMPTY_TALLY } from "./junit.ts";
import { judge, runSuite, SUITES } from "./suites.ts";

async function withTestFile(source: string, use: (path: string) => Promise<void>) {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/a_test.ts`, source);
    await use(`${directory}/a_test.ts`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("judge() counts a runner that failed without a failed case", () => {
  assert.equal(judge({ passed: 3, failed: 0, skipped: [] }, 1, false).failed, 1);
  assert.equal(judge({ passed: 3, failed: 2, skipped: [] }, 1, false).failed, 2);
});

Deno.test("judge() counts skipped cases as failures only in CI", () => {
  const tally = { passed: 3, failed: 0, skipped: ["a", "b"] };
  assert.equal(judge(tally, 0, false).failed, 0);
  assert.equal(judge(tally, 0, true).failed, 2);
});

Deno.test("runSuite() reports what passed, failed and was skipped", async () => {
  const source = `
    Deno.test("a", () => {});
    Deno.test("b", () => { throw new Error("planted"); });
    Deno.test({ name: "c", ignore: true, fn() {} });`;
  await withTestFile(source, async (path) => {
    const result = await runSuite({ name: "x", args: [path], needs: [] }, false);
    assert.equal(result.tally.passed, 1);
    assert.equal(result.tally.failed, 1);
    assert.match(result.tally.skipped.join(), /a_test\.ts: c$/);
    assert.match(result.output, /planted/);
  });
});

Deno.test("runSuite() fails when a file does not load", async () => {
  await withTestFile(`throw new Error("planted");`, async (path) => {
    const { tally } = await runSuite({ name: "x", args: [path], needs: [] }, false);
    assert.deepEqual(tally, { ...EMPTY_TALLY, failed: 1 });
  });
});

Deno.test("runSuite() fails when there is no test at all", async () => {
  await withTestFile("export {};", async (path) => {
    const { tally } = await runSuite(
      { name: "x", args: [path.replace("a_test", "b_test")], needs: [] },
      false,
    );
    assert.equal(tally.failed, 1);
  });
});

Deno.test("a suite whose needs are not met fails in CI, unless it needs what nobody can fetch", async () => {
  const before = Deno.env.get("GRAFT_TEST_PYTHON");
  Deno.env.set("GRAFT_TEST_PYTHON", "/nowhere/python");
  try {
    const suite = { name: "x", args: ["/nowhere"], needs: ["python"] } as const;
    assert.equal((await runSuite(suite, true)).tally.failed, 1);
    assert.equal((await runSuite(suite, false)).tally.failed, 0);
    const optional = await runSuite({ ...suite, isOptional: true }, true);
    assert.equal(optional.tally.failed, 0);
    assert.match(optional.skippedBecause ?? "", /no Python/);
  } finally {
    if (before === undefined) Deno.env.delete("GRAFT_TEST_PYTHON");
    else Deno.env.set("GRAFT_TEST_PYTHON", before);
  }
});

Deno.test("every suite has a name of its own", () => {
  assert.equal(new Set(SUITES.map((suite) => suite.name)).size, SUITES.length);
});
