/**
 * Parts and sizes of objects in S3.
 *
 * @module
 */

import { missingObject } from "../_call_checks.ts";
import {
  announcedLength,
  type ObjectPart,
  objectPart,
  sizeBeyondRange,
} from "./requests/answer_body.ts";
import type { BucketCall, BucketCalls } from "./bucket_calls.ts";
import { S3Failure } from "./requests/s3_failure.ts";

/**
 * The bytes of an object in a range, as the store sends them: all of it from a store that does not know
 * ranges, nothing from an object that ends before.
 *
 * @param range What the `range` header says; undefined: no byte at all.
 * @throws {GraftError} `missing` where there is no object.
 */
export async function readPart(
  calls: BucketCalls,
  call: BucketCall,
  range: string | undefined,
): Promise<ObjectPart> {
  const answer = range === undefined
    ? undefined
    : await calls.read<ObjectPart | number | undefined>(call, {
      operation: "get",
      method: "GET",
      headers: { range },
      statuses: [200, 206, 416],
      read: (response, expect) =>
        response.status === 416 ? sizeBeyondRange(response) : objectPart(response, expect),
    });
  if (typeof answer === "object") return answer;
  const sizeBytes = answer ?? await sizeOf(calls, call);
  if (sizeBytes === undefined) throw missingObject(calls.name, call.key);
  return { bytes: new Uint8Array(0), offset: sizeBytes, sizeBytes };
}

/** The size of a call's object; undefined where there is none. */
export async function sizeOf(calls: BucketCalls, call: BucketCall): Promise<number | undefined> {
  const sizeBytes = await calls.run(call, {
    operation: "head",
    method: "HEAD",
    statuses: [200, 404],
    read: (response) => response.status === 404 ? undefined : announcedLength(response),
  });
  if (sizeBytes === undefined) await checkBucket(calls, call);
  return sizeBytes;
}

/** An answer to a HEAD has no body that tells a missing bucket from a missing object. */
async function checkBucket(calls: BucketCalls, { what, signal }: BucketCall): Promise<void> {
  const isThere = await calls.attemptBucket({
    operation: "head",
    method: "HEAD",
    statuses: [200, 403, 404],
    what,
    signal,
    // a key that may only list below a prefix is refused here: the bucket is there all the same
    read: ({ status }) => status !== 404,
  }).catch((error) => {
    throw calls.explain(what, error);
  });
  if (isThere) return;
  const facts = { status: 404, code: "NoSuchBucket", message: "" };
  throw calls.explain(what, new S3Failure(facts));
}
