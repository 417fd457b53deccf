/**
 * Signed requests to one bucket.
 *
 * @module
 */

import { AwsV4Signer } from "aws4fetch";
import { type HttpRequest, sha256 } from "../_s3_io.ts";
import type { S3Address } from "./s3_address.ts";
import type { S3Settings } from "./s3_settings.ts";

/** What is asked of a bucket. */
export interface BucketRequest {
  /** The HTTP method. */
  readonly method: "GET" | "HEAD" | "PUT" | "DELETE";
  /** The whole key; empty for the bucket itself. */
  readonly path: string;
  /** What stands behind the question mark. */
  readonly query?: Readonly<Record<string, string>>;
  /** Headers, all of which are signed but `range`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What is sent. Its hash is signed, so that the store refuses bytes that changed on the way. */
  readonly body?: Uint8Array<ArrayBuffer>;
}

/** The SHA-256 of nothing. */
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/**
 * Signs requests with AWS Signature Version 4, in the headers.
 *
 * Requests go to a host of the bucket's name on AWS, and to a path of its name with an endpoint of one's
 * own, or where dots in the name would not match the host's certificate.
 */
export class RequestSigner {
  readonly #settings: S3Settings;
  readonly #root: string;
  /** The keys that are derived from the secret, one a day. */
  readonly #derived = new Map<string, ArrayBuffer>();

  /** Signs for the bucket of an address. */
  constructor(settings: S3Settings, address: S3Address) {
    this.#settings = settings;
    this.#root = rootOf(settings, address.bucket);
  }

  /** Signs a request, dated `dateMs`: the store refuses it from 15 minutes later on. */
  async sign(request: BucketRequest, dateMs: number): Promise<HttpRequest> {
    const { method, path, query = {}, body } = request;
    const { accessKeyId, secretAccessKey, sessionToken, region } = this.#settings;
    const search = new URLSearchParams(query).toString().replaceAll("+", "%20");
    const url = `${this.#root}/${path}${search === "" ? "" : `?${search}`}`;
    const signer = new AwsV4Signer({
      method,
      url,
      headers: {
        ...request.headers,
        "x-amz-content-sha256": body ? (await sha256(body)).toHex() : EMPTY_SHA256,
      },
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      service: "s3",
      region,
      datetime: signatureDate(dateMs),
      cache: this.#derived,
    });
    const { headers } = await signer.sign();
    // never signed, as proxies change it; bytes that were packed on the way would have another length
    headers.set("accept-encoding", "identity");
    return { method, url, headers, body };
  }
}

function rootOf({ endpoint, region }: S3Settings, bucket: string): string {
  if (endpoint !== undefined) return `${endpoint}/${bucket}`;
  const domain = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  const host = `s3.${region}.${domain}`;
  return bucket.includes(".") ? `https://${host}/${bucket}` : `https://${bucket}.${host}`;
}

/** `20260102T030405Z`, rounded down. */
function signatureDate(dateMs: number): string {
  return new Date(dateMs).toISOString().replace(/[:-]|\.\d{3}/g, "");
}
