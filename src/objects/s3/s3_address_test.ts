import { deepEqual, ok, throws } from "node:assert/strict";
import { isGraftError } from "../../core/errors.ts";
import { parseS3Address } from "./s3_address.ts";

for (
  const [url, bucket, prefix, name] of [
    ["s3://bucket", "bucket", "", "s3://bucket"],
    ["s3://bucket/", "bucket", "", "s3://bucket"],
    ["s3://a.b-c.9/x", "a.b-c.9", "x/", "s3://a.b-c.9/x"],
    ["s3://bucket/some/place_1.0/", "bucket", "some/place_1.0/", "s3://bucket/some/place_1.0"],
    ["s3://bucket/tmp", "bucket", "tmp/", "s3://bucket/tmp"],
  ] as const
) {
  Deno.test(`${url} is an address`, () => {
    deepEqual(parseS3Address(url), { bucket, prefix, name });
  });
}

for (
  const url of [
    "",
    "bucket/prefix",
    "file:bucket",
    "s3:bucket",
    "s3://",
    "s3:///prefix",
    "s3://ab",
    `s3://${"a".repeat(64)}`,
    "s3://Bucket",
    "s3://bucket_",
    "s3://-bucket",
    "s3://bucket.",
    "s3://a..b",
    "s3://bucket:9000/prefix",
    "s3://key@bucket/prefix",
    "s3://bucket//",
    "s3://bucket//prefix",
    "s3://bucket/a//b",
    "s3://bucket/../b",
    "s3://bucket/a b",
    "s3://bucket/ä",
    "s3://bucket/a?b",
    `s3://bucket/${"abcdefghi/".repeat(52)}`,
  ]
) {
  Deno.test(`${JSON.stringify(url.slice(0, 40))} (${url.length}) is no address`, () => {
    throws(() => parseS3Address(url), (error: unknown) => {
      ok(isGraftError(error, "invalid"));
      ok(error.message.startsWith(`Cannot use "`) && error.hint?.includes("s3://bucket/prefix"));
      return true;
    });
  });
}
