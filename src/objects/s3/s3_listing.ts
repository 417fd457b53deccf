/**
 * Listings of a bucket.
 *
 * @module
 */

import { S3Client } from "@bradenmacdonald/s3-lite-client";
import { GraftError } from "../../core/errors.ts";
import type { BucketCalls } from "./bucket_calls.ts";
import { brokenAnswer, S3Failure } from "./requests/s3_failure.ts";

/** Entries of a page: the most that S3 gives. */
const PAGE_ENTRIES_MAX = 1000;
/** More than a page of the longest keys takes, and nothing longer is read. */
const PAGE_BYTES_MAX = 8 * 1024 * 1024;
const END_OF_PAGE = "</ListBucketResult>";

/** Which entries are wanted; keys are whole ones. */
export interface ListingRange {
  /** What the keys start with. */
  readonly prefix: string;
  /** What the keys sort after; empty: all. */
  readonly after: string;
  /** How many are wanted at most. */
  readonly limit: number;
  /** The caller's way to give up. */
  readonly signal: AbortSignal | undefined;
}

/** One object of a bucket. */
export interface ListedObject {
  /** The whole key. */
  readonly path: string;
  /** Its length in bytes. */
  readonly sizeBytes: number;
}

/** The options of the library's method that sends a request. */
type PageOptions = Parameters<S3Client["makeRequest"]>[0];

/**
 * The library's listing, which follows the pages and reads their XML, over requests of our own: those have
 * a deadline, a caller who may give up, and a key to start after.
 */
class ListingClient extends S3Client {
  readonly #calls: BucketCalls;
  readonly #range: ListingRange;
  readonly #what: string;
  #token: string | undefined;

  constructor(calls: BucketCalls, range: ListingRange, what: string) {
    super({ endPoint: "unused", region: "unused", bucket: calls.bucket });
    this.#calls = calls;
    this.#range = range;
    this.#what = what;
  }

  /** Sends one request of a listing. */
  override async makeRequest(options: PageOptions): Promise<Response> {
    const { after, signal } = this.#range;
    const query = { ...options.query as Record<string, string> };
    delete query.delimiter;
    const token = query["continuation-token"];
    if (token === undefined && after !== "") query["start-after"] = after;
    if (token !== undefined && token === this.#token) throw brokenAnswer("a listing without end");
    this.#token = token;
    const page = await this.#calls.attemptBucket({
      operation: "list",
      method: "GET",
      query,
      what: this.#what,
      statuses: [200],
      signal,
      read: wholePage,
    });
    return new Response(page);
  }
}

/** The library would take half a page for the last one. */
async function wholePage(response: Response, expect: (bytes: number) => void): Promise<string> {
  expect(PAGE_BYTES_MAX);
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > PAGE_BYTES_MAX) {
      throw brokenAnswer(`a page of more than ${PAGE_BYTES_MAX} bytes`);
    }
  }
  if (text.trimEnd().endsWith(END_OF_PAGE)) return text;
  throw brokenAnswer("no whole listing");
}

/**
 * The objects of a range, ascending by key.
 *
 * @param what What is done, as a message goes on after "Cannot".
 * @throws {GraftError} When a page cannot be had; `internal` when the store lists in another order, or what
 * is no listing.
 */
export async function* listObjects(
  calls: BucketCalls,
  range: ListingRange,
  what: string,
): AsyncGenerator<ListedObject> {
  const client = new ListingClient(calls, range, what);
  const pageSize = Math.min(range.limit, PAGE_ENTRIES_MAX);
  let last = range.after;
  try {
    for await (const { key, size } of client.listObjects({ prefix: range.prefix, pageSize })) {
      // the library sorts each page, so this sees a disorder of pages
      if (key <= last || !key.startsWith(range.prefix)) throw unordered(what, last, key);
      if (!Number.isSafeInteger(size) || size < 0) {
        throw noListing(what, new Error(`"${key}" has no size`));
      }
      last = key;
      yield { path: key, sizeBytes: size };
    }
  } catch (error) {
    if (error instanceof S3Failure) throw calls.explain(what, error);
    if (error instanceof GraftError) throw error;
    throw noListing(what, error);
  }
}

function noListing(what: string, cause: unknown): GraftError {
  const state = "the store's answer is no listing";
  return new GraftError("internal", `Cannot ${what}: ${state}`, { cause });
}

function unordered(what: string, last: string, key: string): GraftError {
  return new GraftError(
    "internal",
    `Cannot ${what}: the store lists "${key}" after "${last}"`,
    { hint: "Use a bucket that lists its keys in order, such as a general purpose bucket of AWS" },
  );
}
