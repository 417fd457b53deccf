import assert from "node:assert/strict";
import { type GraftErrorCode, isGraftError } from "../../src/core/errors.ts";
import { browserError } from "./_browser_errors.ts";

const MEANINGS: readonly (readonly [name: string, code: GraftErrorCode])[] = [
  ["QuotaExceededError", "unavailable"],
  ["NoModificationAllowedError", "unavailable"],
  ["InvalidStateError", "unavailable"],
  ["SecurityError", "unavailable"],
  ["NotReadableError", "damaged"],
  ["VersionError", "invalid"],
  ["UnknownError", "unavailable"],
];

for (const [name, code] of MEANINGS) {
  Deno.test(`a browser's ${name} is ${code}`, () => {
    const cause = new DOMException("x", name);
    const error = browserError('open "idb:a"', cause);
    assert.ok(isGraftError(error, code), `${error}`);
    assert.match(error.message, /^Cannot open "idb:a": .+[^.]$/);
    assert.equal(error.cause, cause);
  });
}

Deno.test("where nothing may be stored, or might not, memory: is named", () => {
  for (const name of ["SecurityError", "NotAllowedError", "UnknownError"]) {
    const error = browserError('open "idb:a"', new DOMException("x", name));
    assert.ok(isGraftError(error) && error.hint?.includes("memory:"), `${name}: ${error}`);
  }
});

Deno.test("bugs stay as they are", () => {
  const bug = new TypeError("x is not a function");
  assert.equal(browserError("open", bug), bug);
});
