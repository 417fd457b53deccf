/**
 * Calls of a store in S3: requests about one key, whose failures are explained.
 *
 * @module
 */

import type { GraftError } from "../../core/errors.ts";
import { checkKey, checkSignal, missingObject } from "../_call_checks.ts";
import type { ObjectCallOptions } from "../object_store.ts";
import { wholeBody } from "./requests/answer_body.ts";
import type { S3Address } from "./s3_address.ts";
import { explainFailure } from "./s3_error.ts";
import { S3Failure } from "./requests/s3_failure.ts";
import { type S3Request, S3Requests } from "./requests/s3_requests.ts";
import type { S3StoreParts } from "./s3_store_parts.ts";

/** What one call is about. */
export interface BucketCall {
  /** The object's key, without the store's prefix. */
  readonly key: string;
  /** What is done, as a message goes on after "Cannot". */
  readonly what: string;
  /** The caller's way to give up. */
  readonly signal: AbortSignal | undefined;
}

/** A request of a call: what the call does not say itself. */
export type CallRequest<T> = Omit<S3Request<T>, "path" | "what" | "signal">;

/** Makes the requests of calls. */
export class BucketCalls {
  readonly #address: S3Address;
  readonly #parts: S3StoreParts;
  readonly #requests: S3Requests;

  /** Calls to the store at `address`. */
  constructor(address: S3Address, parts: S3StoreParts) {
    this.#address = address;
    this.#parts = parts;
    this.#requests = new S3Requests(address, parts);
  }

  /** The store's name, for messages. */
  get name(): string {
    return this.#address.name;
  }

  /** The bucket's name. */
  get bucket(): string {
    return this.#address.bucket;
  }

  /** Begins a call to "<verb> <key> <preposition> <store>". @throws {GraftError} `invalid`, `aborted`. */
  begin(verb: string, preposition: string, key: string, options: ObjectCallOptions): BucketCall {
    checkKey(key);
    const what = `${verb} "${key}" ${preposition} ${this.name}`;
    checkSignal(options.signal, what);
    return { key, what, signal: options.signal };
  }

  /**
   * Makes a request about the call's object.
   *
   * @param absent What to do where there is no such object; a failure like any other when not given.
   * @throws {GraftError} What the failure means.
   */
  async run<T>(call: BucketCall, request: CallRequest<T>, absent?: () => T): Promise<T> {
    try {
      return await this.attempt(call, request);
    } catch (error) {
      const isAbsent = error instanceof S3Failure && error.facts.code === "NoSuchKey";
      if (isAbsent && absent !== undefined) return absent();
      throw this.explain(call.what, error);
    }
  }

  /** The same for reads. @throws {GraftError} `missing` where there is no such object. */
  async read<T>(call: BucketCall, request: CallRequest<T>): Promise<T> {
    return await this.run(call, request, () => {
      throw missingObject(this.name, call.key);
    });
  }

  /** Makes a request about the call's object. @throws {S3Failure} When it fails. */
  async attempt<T>(call: BucketCall, request: CallRequest<T>): Promise<T> {
    const path = `${this.#address.prefix}${call.key}`;
    return await this.#requests.run({ ...request, path, what: call.what, signal: call.signal });
  }

  /** Makes a request about the bucket. @throws {S3Failure} When it fails. */
  async attemptBucket<T>(request: Omit<S3Request<T>, "path">): Promise<T> {
    return await this.#requests.run({ ...request, path: "" });
  }

  /** The whole object of a call. @throws {GraftError} `missing` where there is none. */
  async get(call: BucketCall): Promise<Uint8Array<ArrayBuffer>> {
    return await this.read(call, {
      operation: "get",
      method: "GET",
      statuses: [200],
      read: wholeBody,
    });
  }

  /** What a failure means to a caller; any other error stays as it is. */
  explain(what: string, error: unknown): GraftError | unknown {
    if (!(error instanceof S3Failure)) return error;
    const { settings, clock } = this.#parts;
    return explainFailure(error, { what, address: this.#address, settings, nowMs: clock.now() });
  }

  /** Closes idle connections. */
  close(): void {
    this.#requests.close();
  }
}
