import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { isGraftError } from "../core/errors.ts";
import {
  assertRange,
  checkKey,
  checkRangeWithin,
  checkSignal,
  isKeyPart,
  missingObject,
  takenObject,
} from "./_call_checks.ts";

function codeOf(act: () => void): string {
  try {
    act();
    return "fine";
  } catch (error) {
    return isGraftError(error) ? error.code : String(error);
  }
}

for (
  const key of [
    "a",
    "graft.json",
    "segments/74ggVvkuXUKShYSVxVXuM5",
    "a/b/c/d",
    "A-Z_0.9",
    "...",
    ".hidden",
    "a/tmp",
    "tmpx/a",
    "a".repeat(255),
    `${"a".repeat(255)}/`.repeat(4).slice(0, 1024 - 1),
  ]
) {
  Deno.test(`"${key.slice(0, 30)}" (${key.length}) is a key`, () => {
    equal(codeOf(() => checkKey(key)), "fine");
  });
}

for (
  const key of [
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "a/..",
    "a/./b",
    "a b",
    "a\\b",
    "a\0",
    "a\n",
    "ä",
    "tmp",
    "tmp/a",
    "a".repeat(256),
    "a/".repeat(512) + "a",
  ]
) {
  Deno.test(`${JSON.stringify(key.slice(0, 30))} (${key.length}) is no key`, () => {
    equal(codeOf(() => checkKey(key)), "invalid");
  });
}

Deno.test("a part of a key has no slash", () => {
  deepEqual(["a", "tmp", "a/b", "", "..", "a b"].map(isKeyPart), [
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});

Deno.test("a refused key is quoted, a long one in part", () => {
  throws(() => checkKey("a b"), /^GraftError: Cannot use "a b" as an object's key: /);
  throws(() => checkKey("ä".repeat(100_000)), (error: Error) => error.message.length < 2000);
});

Deno.test("only a signal that has fired stops a call, and its reason is the cause", () => {
  checkSignal(undefined, "read");
  checkSignal(new AbortController().signal, "read");
  const signal = AbortSignal.abort("enough");
  throws(() => checkSignal(signal, 'read "a"'), (error: unknown) => {
    ok(isGraftError(error, "aborted"));
    deepEqual([error.message, error.cause], ['Cannot read "a": the caller gave up', "enough"]);
    return true;
  });
});

Deno.test("ranges are whole numbers from 0", () => {
  assertRange(0, 0);
  assertRange(2 ** 40, 5);
  for (const [offset, length] of [[-1, 0], [0, -1], [0.5, 0], [0, 0.5], [NaN, 0], [0, Infinity]]) {
    throws(() => assertRange(offset, length), { name: "AssertionError" });
  }
});

Deno.test("a range may end where the object does, not later", () => {
  const sizeBytes = 10;
  checkRangeWithin("memory:", "a", { offset: 0, length: 10, sizeBytes });
  checkRangeWithin("memory:", "a", { offset: 10, length: 0, sizeBytes });
  for (const [offset, length] of [[0, 11], [10, 1], [11, 0]]) {
    const act = () => checkRangeWithin("memory:", "a", { offset, length, sizeBytes });
    equal(codeOf(act), "damaged");
  }
});

Deno.test("errors name the store and the key", () => {
  for (const error of [missingObject("memory:", "a/b"), takenObject("memory:", "a/b")]) {
    ok(error.message.includes('"a/b"') && error.message.includes("memory:"), error.message);
  }
});
