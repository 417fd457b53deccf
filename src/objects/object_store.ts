/**
 * The seam to whatever keeps segments: a local disk, an S3 bucket, memory.
 *
 * @module
 */

/** What a call may be given. */
export interface ObjectCallOptions {
  /** Gives up the call; it then rejects with GraftError `aborted`. */
  readonly signal?: AbortSignal;
}

/** One entry of a listing. */
export interface ObjectEntry {
  /** The object's key. */
  readonly key: string;
  /** Its length in bytes. */
  readonly sizeBytes: number;
}

/** The end of an object. */
export interface ObjectTail {
  /** Its last bytes; the whole object where that is shorter than asked. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The length of the whole object. */
  readonly sizeBytes: number;
}

/** What a listing may be given. */
export interface ObjectListOptions extends ObjectCallOptions {
  /** Only keys that sort after this one. */
  readonly after?: string;
  /** Ends the listing after so many entries; a store that is asked over a network moves no more. */
  readonly limit?: number;
}

/**
 * A store of immutable objects.
 *
 * Keys are one or more segments of `[A-Za-z0-9._-]+` (none of them `.` or `..`) joined by `/`. Every
 * method may reject with GraftError `unavailable` (full, unreachable: retry later), `aborted`, or
 * `internal`; messages name the store and the key. All implementations pass the same conformance
 * suite (`_conformance.ts`).
 */
export interface ObjectStore {
  /** What the store is, for messages: `file:/data/segments`, `s3://bucket/prefix`, `memory:`. */
  readonly name: string;
  /**
   * Stores an object; when it resolves, the bytes survive a power loss. An object is never seen
   * half-written. The caller must not change `body` until then.
   *
   * @throws {GraftError} `conflict` with `ifAbsent` when the key is taken; it then keeps its bytes. Where a
   * network may have lost an answer, the very same bytes under the key count as stored.
   */
  put(
    key: string,
    body: Uint8Array<ArrayBuffer>,
    options?: ObjectCallOptions & { readonly ifAbsent?: boolean },
  ): Promise<void>;
  /** The whole object. @throws {GraftError} `missing` when there is none. */
  get(key: string, options?: ObjectCallOptions): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * `length` bytes from `offset`.
   *
   * @throws {GraftError} `missing` when there is no object, `damaged` when it ends before the range does.
   */
  getRange(
    key: string,
    offset: number,
    length: number,
    options?: ObjectCallOptions,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** The last `length` bytes and the object's size. @throws {GraftError} `missing` when there is none. */
  getTail(key: string, length: number, options?: ObjectCallOptions): Promise<ObjectTail>;
  /** The object's entry, or undefined when there is none. */
  head(key: string, options?: ObjectCallOptions): Promise<ObjectEntry | undefined>;
  /** Removes an object; removing what is not there is fine. */
  delete(key: string, options?: ObjectCallOptions): Promise<void>;
  /** The objects whose key starts with `prefix` and sorts after `after`, ascending by key. */
  list(prefix: string, options?: ObjectListOptions): AsyncIterable<ObjectEntry>;
  /** Lets go of handles and connections. The store is not used afterwards. */
  close(): Promise<void>;
}

/**
 * A store that several processes write to, and that refuses what was under way for too long.
 *
 * S3 refuses a request whose signature is more than 15 minutes old. A write that names its date is
 * therefore known not to land later than that, whatever the network held back.
 */
export interface DatedObjectStore extends ObjectStore {
  /**
   * Stores an object under a free key, unless `dateMs` is more than 15 minutes ago when the request
   * arrives. Where the key holds the very same bytes already, they count as stored: so a caller who lost
   * the answer may simply ask again.
   *
   * @param dateMs Wall time in milliseconds since 1970; now or earlier.
   * @throws {GraftError} `conflict` when the key is taken, by other bytes; `unavailable` when the date is
   * too old, or when nobody knows whether the object was stored.
   */
  putDated(
    key: string,
    body: Uint8Array<ArrayBuffer>,
    dateMs: number,
    options?: ObjectCallOptions,
  ): Promise<void>;
}

/** The key of a segment's object. */
export function segmentKey(sid: string): string {
  return `segments/${sid}`;
}
