/**
 * An object store in an S3 bucket.
 *
 * @module
 */

import { GraftError } from "../../core/errors.ts";
import { assertRange, checkRangeWithin, checkSignal, isKey, mayStartKey } from "../_call_checks.ts";
import type {
  DatedObjectStore,
  ObjectCallOptions,
  ObjectEntry,
  ObjectListOptions,
  ObjectTail,
} from "../object_store.ts";
import type { ObjectPart } from "./requests/answer_body.ts";
import { type BucketCall, BucketCalls } from "./bucket_calls.ts";
import { putIfAbsent } from "./conditional_put.ts";
import { readPart, sizeOf } from "./ranged_read.ts";
import { parseS3Address, type S3Address } from "./s3_address.ts";
import { listObjects } from "./s3_listing.ts";
import type { S3StoreParts } from "./s3_store_parts.ts";

/**
 * Keeps objects in a bucket, under a prefix.
 *
 * Every request has a deadline, and is repeated with growing pauses when it is not answered, or answered
 * with 429 or 5xx. At most 256 are under way at once; others wait for their turn, within their time. Puts
 * are single requests, so that a conditional one is decided by the store; one whose answer was lost is
 * looked up before it counts as refused.
 *
 * Limitations:
 * * An object has at most 5 GiB, what S3 takes in one request.
 * * The store has to honour `If-None-Match: *`, and to list keys in order: AWS (not its directory buckets),
 *   MinIO and versitygw do.
 * * Other objects under the prefix are listed if their keys are keys; list with a folder's prefix.
 *
 * @example
 * ```ts
 * import { systemClock } from "../../core/clock.ts";
 * import { noMetrics } from "../../core/metrics.ts";
 * import { systemRandom } from "../../core/random.ts";
 * import { systemTimers } from "../../core/timers.ts";
 * import { parseS3Address } from "./s3_address.ts";
 * import { S3Store } from "./s3_store.ts";
 *
 * const store = new S3Store(parseS3Address("s3://bucket/prefix"), {
 *   settings: { accessKeyId: "id", secretAccessKey: "secret", region: "eu-central-1" },
 *   clock: systemClock,
 *   random: systemRandom,
 *   timers: systemTimers,
 *   metrics: noMetrics,
 * });
 * console.log(store.name); // "s3://bucket/prefix"
 * await store.close();
 * ```
 */
export class S3Store implements DatedObjectStore {
  /** The address, for messages: `s3://bucket/prefix`. */
  readonly name: string;
  readonly #root: string;
  readonly #calls: BucketCalls;

  /** A store at `address`; {@linkcode openS3Store} also looks whether it is there. */
  constructor(address: S3Address, parts: S3StoreParts) {
    this.name = address.name;
    this.#root = address.prefix;
    this.#calls = new BucketCalls(address, parts);
  }

  /**
   * Asks the store for one key, to see that bucket, keys, region and clock are right.
   *
   * @throws {GraftError} `unavailable` with a hint when something is wrong.
   */
  async check(options: ObjectCallOptions = {}): Promise<void> {
    const range = { prefix: this.#root, after: "", limit: 1, signal: options.signal };
    await listObjects(this.#calls, range, `open ${this.name}`).next();
  }

  /** Stores an object. See {@linkcode ObjectStore.put}. */
  async put(
    key: string,
    body: Uint8Array<ArrayBuffer>,
    options: ObjectCallOptions & { readonly ifAbsent?: boolean } = {},
  ): Promise<void> {
    const call = this.#calls.begin("put", "into", key, options);
    if (options.ifAbsent) return await putIfAbsent(this.#calls, call, body);
    await this.#calls.run(call, {
      operation: "put",
      method: "PUT",
      body,
      statuses: [200],
      read() {},
    });
  }

  /** Stores an object that is not too old. See {@linkcode DatedObjectStore.putDated}. */
  async putDated(
    key: string,
    body: Uint8Array<ArrayBuffer>,
    dateMs: number,
    options: ObjectCallOptions = {},
  ): Promise<void> {
    const call = this.#calls.begin("put", "into", key, options);
    await putIfAbsent(this.#calls, call, body, dateMs);
  }

  /** The whole object. See {@linkcode ObjectStore.get}. */
  async get(key: string, options: ObjectCallOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    return await this.#calls.get(this.#calls.begin("read", "from", key, options));
  }

  /** A part of the object. See {@linkcode ObjectStore.getRange}. */
  async getRange(
    key: string,
    offset: number,
    length: number,
    options: ObjectCallOptions = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const call = this.#calls.begin("read", "from", key, options);
    assertRange(offset, length);
    const range = `bytes=${offset}-${offset + length - 1}`;
    const part = await readPart(this.#calls, call, length === 0 ? undefined : range);
    checkRangeWithin(this.name, key, { offset, length, sizeBytes: part.sizeBytes });
    return cut(call, part, offset, length);
  }

  /** The end of the object. See {@linkcode ObjectStore.getTail}. */
  async getTail(key: string, length: number, options: ObjectCallOptions = {}): Promise<ObjectTail> {
    const call = this.#calls.begin("read", "from", key, options);
    assertRange(0, length);
    const range = `bytes=-${length}`;
    const part = await readPart(this.#calls, call, length === 0 ? undefined : range);
    const { sizeBytes } = part;
    const wanted = Math.min(length, sizeBytes);
    return { bytes: cut(call, part, sizeBytes - wanted, wanted), sizeBytes };
  }

  /** The object's entry. See {@linkcode ObjectStore.head}. */
  async head(key: string, options: ObjectCallOptions = {}): Promise<ObjectEntry | undefined> {
    const call = this.#calls.begin("look up", "in", key, options);
    const sizeBytes = await sizeOf(this.#calls, call);
    return sizeBytes === undefined ? undefined : { key, sizeBytes };
  }

  /** Removes an object. See {@linkcode ObjectStore.delete}. */
  async delete(key: string, options: ObjectCallOptions = {}): Promise<void> {
    const call = this.#calls.begin("delete", "from", key, options);
    await this.#calls.run(
      call,
      { operation: "delete", method: "DELETE", statuses: [200, 204], read() {} },
      () => {},
    );
  }

  /** The objects of a prefix. See {@linkcode ObjectStore.list}. */
  async *list(prefix: string, options: ObjectListOptions = {}): AsyncGenerator<ObjectEntry> {
    const { after, limit = Infinity, signal } = options;
    const what = `list "${prefix}" of ${this.name}`;
    checkSignal(signal, what);
    if (limit <= 0 || !mayStartKey(prefix)) return;
    const root = this.#root;
    const start = after === undefined ? "" : `${root}${after}`;
    const range = { prefix: `${root}${prefix}`, after: start, limit, signal };
    let left = limit;
    for await (const { path, sizeBytes } of listObjects(this.#calls, range, what)) {
      checkSignal(signal, what);
      const key = path.slice(root.length);
      if (!isKey(key)) continue;
      yield { key, sizeBytes };
      if (--left <= 0) return;
    }
  }

  /** Closes idle connections. See {@linkcode ObjectStore.close}. */
  close(): Promise<void> {
    this.#calls.close();
    return Promise.resolve();
  }
}

/**
 * Opens a store in a bucket, and looks whether it can be used.
 *
 * @param address `s3://bucket` or `s3://bucket/prefix`.
 * @throws {GraftError} `invalid` for an address that is none; `unavailable`, with a hint, when the bucket is
 * not there, the keys are refused, the region or this machine's clock is wrong, or nobody answers.
 */
export async function openS3Store(address: string, parts: S3StoreParts): Promise<S3Store> {
  const store = new S3Store(parseS3Address(address), parts);
  try {
    await store.check();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

/** Bytes of a part, which has to hold them; a store that does not know ranges sends the whole object. */
function cut(
  call: BucketCall,
  part: ObjectPart,
  offset: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  const start = length === 0 ? 0 : offset - part.offset;
  if (start === 0 && part.bytes.length === length) return part.bytes;
  if (start >= 0 && start + length <= part.bytes.length) {
    return part.bytes.slice(start, start + length);
  }
  throw new GraftError("unavailable", `Cannot ${call.what}: the store sent another range`);
}
