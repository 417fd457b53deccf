/**
 * Signed requests to one bucket.
 *
 * @module
 */

import { AwsV4Signer } from "aws4fetch";
import { LRUCache } from "lru-cache";
import { type HttpRequest, sha256 } from "../../_s3_io.ts";
import type { S3Address } from "../s3_address.ts";
import type { S3Settings } from "../s3_settings.ts";

/** What is asked of a bucket. */
export interface BucketRequest {
  /** The HTTP method. */
  readonly method: "GET" | "HEAD" | "PUT" | "DELETE";
  /** The whole key; empty for the bucket itself. */
  readonly path: string;
  /** What stands behind the question mark. */
  readonly query?: Readonly<Record<string, string>>;
  /** Headers, all of which are signed but those of a read. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What is sent. Its hash is signed, so that the store refuses bytes that changed on the way. */
  readonly body?: Uint8Array<ArrayBuffer>;
}

/** The SHA-256 of nothing. */
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
/** How long the store honours a signed address. */
const READ_SECONDS = 3600;
/** How long it is used: far less, so that a request that waits is no problem either. */
const REUSE_MS = 15 * 60_000;
/** Signed addresses that are kept: half a megabyte. */
const KEPT_READS_MAX = 1000;

interface SignedRead {
  readonly url: string;
  readonly dateMs: number;
}

/**
 * Signs requests with AWS Signature Version 4.
 *
 * Requests go to a host of the bucket's name on AWS, and to a path of its name with an endpoint of one's
 * own, or where dots in the name would not match the host's certificate.
 *
 * Reads of an object are signed in the address, which does not depend on the range, and is used again for
 * the next one: a signature costs as much as the rest of a small read. All others are signed in the headers.
 */
export class RequestSigner {
  readonly #settings: S3Settings;
  readonly #root: string;
  /** The keys that are derived from the secret, one a day. */
  readonly #derived = new Map<string, ArrayBuffer>();
  readonly #reads = new LRUCache<string, SignedRead>({ max: KEPT_READS_MAX });

  /** Signs for the bucket of an address. */
  constructor(settings: S3Settings, address: S3Address) {
    this.#settings = settings;
    this.#root = rootOf(settings, address.bucket);
  }

  /** Signs a request, dated `dateMs`: the store refuses it, unless it is a read, from 15 minutes later on. */
  async sign(request: BucketRequest, dateMs: number): Promise<HttpRequest> {
    const { method, path, query = {}, headers = {}, body } = request;
    const isRead = method === "GET" && path !== "";
    if (isRead) {
      return this.#request(request, await this.#readUrl(path, dateMs), new Headers(headers));
    }
    const search = new URLSearchParams(query).toString();
    const signed = await this.#signer(dateMs, {
      method,
      url: `${this.#root}/${path}${search === "" ? "" : `?${search}`}`,
      headers: {
        ...headers,
        "x-amz-content-sha256": body ? (await sha256(body)).toHex() : EMPTY_SHA256,
      },
    }).sign();
    return this.#request(request, signed.url.href, signed.headers);
  }

  async #readUrl(path: string, dateMs: number): Promise<string> {
    const kept = this.#reads.get(path);
    const ageMs = dateMs - (kept?.dateMs ?? -Infinity);
    if (kept && ageMs >= 0 && ageMs <= REUSE_MS) return kept.url;
    const { url } = await this.#signer(dateMs, {
      method: "GET",
      url: `${this.#root}/${path}?X-Amz-Expires=${READ_SECONDS}`,
      signQuery: true,
    }).sign();
    this.#reads.set(path, { url: url.href, dateMs });
    return url.href;
  }

  #signer(dateMs: number, request: SignerRequest): AwsV4Signer {
    const { accessKeyId, secretAccessKey, sessionToken, region } = this.#settings;
    return new AwsV4Signer({
      ...request,
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      service: "s3",
      region,
      datetime: signatureDate(dateMs),
      cache: this.#derived,
    });
  }

  #request({ method, body }: BucketRequest, url: string, headers: Headers): HttpRequest {
    // never signed, as proxies change it; bytes that were packed on the way would have another length
    headers.set("accept-encoding", "identity");
    return { method, url, headers, body };
  }
}

type SignerRequest = Pick<
  ConstructorParameters<typeof AwsV4Signer>[0],
  "method" | "url" | "headers" | "signQuery"
>;

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
