import { deepEqual, equal, ok } from "node:assert/strict";
import { assert } from "../../core/assert.ts";
import { GraftError, isGraftError } from "../../core/errors.ts";
import { systemError } from "../_testing.ts";
import { isAbsence, isFull, toGraftError } from "./errors.ts";

for (
  const [code, graftCode] of [
    ["ENOSPC", "unavailable"],
    ["EDQUOT", "unavailable"],
    ["EMFILE", "unavailable"],
    ["ENFILE", "unavailable"],
    ["EIO", "unavailable"],
    ["EACCES", "unavailable"],
    ["EPERM", "unavailable"],
    ["EROFS", "unavailable"],
    ["ENOENT", "unavailable"],
    ["EISDIR", "unavailable"],
    ["ENOTDIR", "unavailable"],
    ["EEXIST", "unavailable"],
    ["EBADF", "internal"],
  ] as const
) {
  Deno.test(`${code} is ${graftCode}`, () => {
    const cause = systemError(code);
    const error = toGraftError('put "a" into file:/data', cause);
    ok(isGraftError(error, graftCode));
    ok(/^Cannot put "a" into file:\/data: .+[^.]$/.test(error.message), error.message);
    equal(error.cause, cause);
  });
}

Deno.test("errors of ours and bugs stay as they are", () => {
  const ours = new GraftError("missing", "Cannot read: it is gone");
  const bugs = [new TypeError("bug"), "no error at all", undefined];
  for (const error of [ours, ...bugs]) equal(toGraftError("read", error), error);
  try {
    assert(false, "Broken");
  } catch (error) {
    equal(toGraftError("read", error), error);
  }
});

Deno.test("a code that is no system's is none", () => {
  const error = Object.assign(new Error("odd"), { code: 5 });
  equal(toGraftError("read", error), error);
});

Deno.test("absence and fullness are told apart from other errors", () => {
  const codes = ["ENOENT", "ENOTDIR", "EISDIR", "ENOSPC", "EDQUOT", "EIO"];
  const errors = codes.map((code) => systemError(code));
  deepEqual(errors.map(isAbsence), [true, true, true, false, false, false]);
  deepEqual(errors.map(isFull), [false, false, false, true, true, false]);
  deepEqual([isAbsence(undefined), isFull(new Error("no code"))], [false, false]);
});
