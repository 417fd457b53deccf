import assert from "node:assert/strict";
import { readVariable, readVariables } from "./variables.ts";

function withVariables(variables: Record<string, string>, work: () => void): void {
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  try {
    work();
  } finally {
    for (const name of Object.keys(variables)) Deno.env.delete(name);
  }
}

Deno.test("readVariable() takes an empty variable for an unset one", () => {
  withVariables({ GRAFT_VARIABLES_TEST_EMPTY: "", GRAFT_VARIABLES_TEST_FULL: "x" }, () => {
    assert.equal(readVariable("GRAFT_VARIABLES_TEST_FULL"), "x");
    assert.equal(readVariable("GRAFT_VARIABLES_TEST_EMPTY"), undefined);
    assert.equal(readVariable("GRAFT_VARIABLES_TEST_ABSENT"), undefined);
  });
});

Deno.test("readVariables() finds those with a prefix that are not empty", () => {
  withVariables({
    GRAFT_VARIABLES_TEST_EMPTY: "",
    GRAFT_VARIABLES_TEST_FULL: "x",
    OTHER_GRAFT_VARIABLES_TEST_: "y",
  }, () => {
    assert.deepEqual([...readVariables("GRAFT_VARIABLES_TEST_")], [[
      "GRAFT_VARIABLES_TEST_FULL",
      "x",
    ]]);
  });
});
