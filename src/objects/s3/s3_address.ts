/**
 * Addresses of stores in S3.
 *
 * @module
 */

import { GraftError } from "../../core/errors.ts";
import { isKeyPart } from "../_call_checks.ts";

/** A place in a bucket. */
export interface S3Address {
  /** The bucket's name. */
  readonly bucket: string;
  /** What all keys start with: empty, or parts that each end in a slash. */
  readonly prefix: string;
  /** The address as people write it: `s3://bucket/prefix`. */
  readonly name: string;
}

const SCHEME = "s3://";
/** The rules of AWS for general purpose buckets. */
const BUCKET = /^(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** S3 takes keys of 1,024 bytes: the longest key of ours, with room to spare, has to fit behind the prefix. */
const PREFIX_LENGTH_MAX = 512;

/**
 * Reads an address: `s3://bucket` or `s3://bucket/prefix`, with or without a slash at the end.
 *
 * @throws {GraftError} `invalid` when it is none.
 *
 * @example
 * ```ts
 * import { parseS3Address } from "./s3_address.ts";
 *
 * console.log(parseS3Address("s3://bucket/some/place/").prefix); // "some/place/"
 * ```
 */
export function parseS3Address(url: string): S3Address {
  if (!url.startsWith(SCHEME)) throw refused(url, `it does not start with ${SCHEME}`);
  const [bucket, ...rest] = url.slice(SCHEME.length).replace(/\/$/, "").split("/");
  if (!BUCKET.test(bucket)) throw refused(url, `"${bucket}" is no bucket's name`);
  const path = rest.join("/");
  if (path.length > PREFIX_LENGTH_MAX || !rest.every(isKeyPart)) {
    throw refused(url, `"${path.slice(0, PREFIX_LENGTH_MAX)}" is no prefix of keys`);
  }
  const name = [`s3://${bucket}`, ...rest].join("/");
  return { bucket, prefix: path === "" ? "" : `${path}/`, name };
}

function refused(url: string, state: string): GraftError {
  return new GraftError(
    "invalid",
    `Cannot use "${url.slice(0, 1024)}" as a place in S3: ${state}`,
    {
      hint:
        "Write s3://bucket or s3://bucket/prefix, where a prefix is parts of letters, digits, dots, " +
        "dashes and underscores, joined by slashes",
    },
  );
}
