import assert from "node:assert/strict";
import { CommanderError } from "commander";
import { GraftError } from "../../core/errors.ts";
import { describeError, exitCodeOf, UsageError } from "./failure.ts";

Deno.test("exitCodeOf() tells scripts what happened", () => {
  const codes = {
    invalid: 1,
    missing: 4,
    conflict: 3,
    unauthorized: 3,
    forbidden: 3,
    unavailable: 5,
    damaged: 1,
    aborted: 1,
    internal: 1,
  } as const;
  for (const [code, exit] of Object.entries(codes)) {
    assert.equal(exitCodeOf(new GraftError(code as keyof typeof codes, "Cannot test")), exit, code);
  }
  assert.equal(exitCodeOf(new UsageError("Cannot test")), 2);
  assert.equal(exitCodeOf(new CommanderError(1, "commander.unknownOption", "unknown")), 2);
  assert.equal(exitCodeOf(new CommanderError(0, "commander.help", "help")), 0);
  assert.equal(exitCodeOf(new TypeError("a bug")), 1);
});

Deno.test("describeError() adds the hint, and the stack of a bug only", () => {
  assert.equal(describeError(new GraftError("missing", "Cannot read")), "Cannot read");
  const hinted = new GraftError("missing", "Cannot read", { hint: "Look again" });
  assert.equal(describeError(hinted), "Cannot read\n  Look again");
  assert.equal(describeError(new UsageError("Cannot use")), "Cannot use");
  assert.match(describeError(new TypeError("a bug")), /TypeError: a bug\n\s+at /);
});
