import { equal, ok } from "node:assert/strict";
import { GraftError, isGraftError } from "../core/errors.ts";
import { foreignWords, storeFailure } from "./store_failure.ts";

const NAME = "s3://bucket/prefix";

function failed(error: unknown): GraftError {
  const failure = storeFailure("object store", NAME, error);
  ok(isGraftError(failure));
  return failure;
}

Deno.test("a store that does not answer is told in general words, and named to its operator", () => {
  const error = new GraftError("unavailable", `Cannot read ${NAME}: key "k" is not known`, {
    hint: "Set AWS_ACCESS_KEY_ID",
  });
  const { code, message, hint, cause, publicMessage } = failed(error);
  equal(code, "unavailable");
  equal(message, error.message);
  equal(hint, error.hint);
  equal(cause, error);
  equal(publicMessage, "Cannot answer the request: the object store does not answer now");
});

Deno.test("other errors of a store name the object, and not the store", () => {
  const { code, publicMessage } = failed(
    new GraftError("damaged", `Cannot read "segments/a" from ${NAME}: it is cut off`),
  );
  equal(code, "damaged");
  equal(publicMessage, 'Cannot read "segments/a" from the object store: it is cut off');
});

Deno.test("what names no store, and what is no GraftError, stays as it is", () => {
  for (const error of [new GraftError("missing", "Cannot read"), new TypeError(NAME), NAME]) {
    equal(storeFailure("object store", NAME, error), error);
  }
});

Deno.test("another server's words are cut where they are many", () => {
  equal(foreignWords("  Bad Gateway\n"), "Bad Gateway");
  equal(foreignWords("x".repeat(200)), "x".repeat(200));
  equal(foreignWords("x".repeat(201)), `${"x".repeat(200)}…`);
});
