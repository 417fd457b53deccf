import assert from "node:assert/strict";
import { GraftError } from "../../core/errors.ts";
import { failureHeaders, StatusError, toFailure } from "./failure.ts";

const id = () => "id-1";

Deno.test("toFailure() passes on what a GraftError says", () => {
  const error = new GraftError("conflict", "Cannot commit: LSN 4 is taken", { hint: "Pull" });
  assert.deepEqual(toFailure(error, id), {
    status: 409,
    code: "conflict",
    message: "Cannot commit: LSN 4 is taken",
    hint: "Pull",
  });
});

Deno.test("toFailure() hides what only the log should say", () => {
  for (
    const error of [new TypeError("x"), new GraftError("internal", "Cannot x"), "x", undefined]
  ) {
    const { status, code, message } = toFailure(error, id);
    assert.deepEqual([status, code], [500, "internal"]);
    assert.equal(message, "Cannot serve request id-1: the server failed");
  }
});

Deno.test("toFailure() tells what is meant for the public, where an error has more than that", () => {
  const error = new GraftError("unavailable", 'Cannot read s3://bucket: no access key "AKIA"', {
    hint: "Check AWS_ACCESS_KEY_ID",
    publicMessage: "Cannot answer: the store is away",
  });
  assert.deepEqual(toFailure(error, id), {
    status: 503,
    code: "unavailable",
    message: "Cannot answer: the store is away",
    hint: undefined,
  });
});

Deno.test("failureHeaders() follows the status", () => {
  const headersOf = (error: GraftError) => failureHeaders(toFailure(error, id), error);
  assert.deepEqual(headersOf(new GraftError("unauthorized", "x")), {
    "www-authenticate": "Bearer",
  });
  assert.deepEqual(headersOf(new GraftError("unavailable", "x")), { "retry-after": "1" });
  assert.deepEqual(headersOf(new StatusError(405, "x", { allow: "GET" })), { allow: "GET" });
  assert.deepEqual(headersOf(new GraftError("invalid", "x")), {});
});

Deno.test("a StatusError keeps its status and counts as invalid", () => {
  const { status, code } = toFailure(new StatusError(405, "Cannot x"), id);
  assert.deepEqual([status, code], [405, "invalid"]);
});
