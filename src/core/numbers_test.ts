import assert from "node:assert/strict";
import { assert as hold, AssertionError } from "./assert.ts";
import { GraftError, isGraftError } from "./errors.ts";
import { nextLsn, toLsn } from "./lsn.ts";
import { toPageCount, toPageIdx } from "./page.ts";

const invalid = (make: () => unknown) =>
  assert.throws(make, (error) => isGraftError(error, "invalid"));

Deno.test("toLsn takes whole numbers from 1 to 2^53 - 1", () => {
  assert.equal(toLsn(1), 1);
  assert.equal(toLsn(Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
  for (const value of [0, -1, 1.5, NaN, Infinity, 2 ** 53]) invalid(() => toLsn(value));
});

Deno.test("nextLsn starts at 1 and counts on", () => {
  assert.equal(nextLsn(undefined), 1);
  assert.equal(nextLsn(toLsn(41)), 42);
  invalid(() => nextLsn(toLsn(Number.MAX_SAFE_INTEGER)));
});

Deno.test("toPageIdx takes 1 to 2^28, toPageCount 0 to 2^28", () => {
  assert.equal(toPageIdx(1), 1);
  assert.equal(toPageIdx(2 ** 28), 2 ** 28);
  assert.equal(toPageCount(0), 0);
  assert.equal(toPageCount(2 ** 28), 2 ** 28);
  for (const value of [-1, 0.5, NaN, 2 ** 28 + 1]) {
    invalid(() => toPageIdx(value));
    invalid(() => toPageCount(value));
  }
  invalid(() => toPageIdx(0));
});

Deno.test("GraftError carries code, cause and hint", () => {
  const cause = new Error("disk on fire");
  const error = new GraftError("unavailable", "Cannot write: the store is down", {
    cause,
    hint: "Try again",
  });
  assert.equal(error.code, "unavailable");
  assert.equal(error.cause, cause);
  assert.equal(error.hint, "Try again");
  assert.ok(isGraftError(error));
  assert.ok(!isGraftError(error, "invalid"));
  assert.ok(!isGraftError(cause));
  assert.ok(!("cause" in new GraftError("invalid", "Cannot")));
});

Deno.test("assert stops what is broken", () => {
  hold(true, "fine");
  assert.throws(() => hold(false, "The line has a gap"), AssertionError);
});
