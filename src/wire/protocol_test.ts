import assert from "node:assert/strict";
import type { GraftErrorCode } from "../core/errors.ts";
import { oracleDecode } from "./_testing.ts";
import { encodeGraftErr } from "./messages.ts";
import { fromWireError, GRAFT_ERR_CODES, MEDIA_TYPE, PATHS, toWireError } from "./protocol.ts";

Deno.test("the paths and the media type are those that the released clients use", () => {
  assert.equal(MEDIA_TYPE, "application/x-protobuf");
  assert.deepEqual(Object.values(PATHS), [
    "/metastore/v1/snapshot",
    "/metastore/v1/pull_graft",
    "/metastore/v1/pull_commits",
    "/metastore/v1/commit",
    "/pagestore/v1/read_pages",
    "/pagestore/v1/write_pages",
  ]);
});

Deno.test("the error codes are those of the schema", () => {
  assert.deepEqual(GRAFT_ERR_CODES, {
    unspecified: 0,
    client: 1,
    snapshotMissing: 2,
    commitRejected: 3,
    unauthorized: 4,
    server: 100,
    serviceUnavailable: 101,
  });
  for (const code of Object.values(GRAFT_ERR_CODES)) {
    const read = oracleDecode("GraftErr", encodeGraftErr({ code, message: "x" }));
    assert.equal(read.code ?? 0, code);
  }
});

/** What each error of ours becomes, and what a client makes of that again. */
const JOURNEYS: readonly (readonly [GraftErrorCode, number, number, GraftErrorCode])[] = [
  ["invalid", 400, 1, "invalid"],
  ["missing", 404, 2, "missing"],
  ["conflict", 409, 3, "conflict"],
  ["unauthorized", 401, 4, "unauthorized"],
  ["forbidden", 403, 4, "forbidden"],
  ["unavailable", 503, 101, "unavailable"],
  ["aborted", 503, 101, "unavailable"],
  ["damaged", 500, 100, "internal"],
  ["internal", 500, 100, "internal"],
];

for (const [code, status, number, back] of JOURNEYS) {
  Deno.test(`${code} goes out as ${status} with code ${number} and comes back as ${back}`, () => {
    assert.deepEqual(toWireError(code), { status, code: number });
    assert.equal(fromWireError(status, number), back);
  });
}

Deno.test("without a code of the protocol the status decides", () => {
  const expected: Record<number, GraftErrorCode> = {
    400: "invalid",
    401: "unauthorized",
    403: "forbidden",
    404: "invalid",
    408: "unavailable",
    409: "invalid",
    413: "invalid",
    429: "unavailable",
    500: "internal",
    501: "internal",
    502: "unavailable",
    503: "unavailable",
    504: "unavailable",
    507: "internal",
  };
  for (const [status, code] of Object.entries(expected)) {
    assert.equal(fromWireError(Number(status), undefined), code, status);
    assert.equal(fromWireError(Number(status), 77), code, `${status} with an unknown code`);
  }
});

Deno.test("the code beats the status, except for a token that does not allow this", () => {
  assert.equal(fromWireError(500, GRAFT_ERR_CODES.commitRejected), "conflict");
  assert.equal(fromWireError(403, GRAFT_ERR_CODES.unauthorized), "forbidden");
});
