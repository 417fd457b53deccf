/**
 * What the log needs of a key-value store: the part of `Deno.Kv` that it uses, so that tests can stand
 * between the two.
 *
 * @module
 */

/** One part of a key. A symbol stands for the versionstamp of the write that sets it. */
export type KvKeyPart = string | number | boolean | symbol;
/** A key. Keys sort by their parts, numbers by value, text by its bytes. */
export type KvKey = readonly KvKeyPart[];

/** A value as it was read, with the version that checks compare. */
export type KvEntry = {
  /** Where it stands. */
  readonly key: Deno.KvKey;
  /** The value; null where the key is not set. */
  readonly value: unknown;
  /** Hexadecimal text, larger with every write; null where the key is not set. */
  readonly versionstamp: string | null;
};

/** Keys from `start` (inclusive) to `end` (exclusive). */
export interface KvRange {
  /** The first key. */
  readonly start: KvKey;
  /** The key after the last. */
  readonly end: KvKey;
}

/** Several writes that take effect together, if all checks hold. */
export interface KvAtomic {
  /** Requires that the key still has this version. */
  check(check: { key: KvKey; versionstamp: string | null }): KvAtomic;
  /** Sets a key; `expireIn` milliseconds later it may go by itself. */
  set(key: KvKey, value: unknown, options?: { expireIn?: number }): KvAtomic;
  /** Removes a key. */
  delete(key: KvKey): KvAtomic;
  /** Does it all, durably, or (where a check fails) nothing. After a rejection nobody knows which. */
  commit(): Promise<{ ok: true; versionstamp: string } | { ok: false }>;
}

/** A key-value store: `Deno.Kv`, or a layer over it. Reads are strong. */
export interface KvHandle {
  /** One value. */
  get(key: KvKey): Promise<KvEntry>;
  /** Up to ten values, as of one moment. */
  getMany(keys: readonly KvKey[]): Promise<KvEntry[]>;
  /** Values in the order of their keys; as of one moment within a batch only. */
  list(range: KvRange, options?: { limit?: number; batchSize?: number }): AsyncIterator<KvEntry>;
  /** Begins an atomic write. */
  atomic(): KvAtomic;
  /** Brings something at once, and then whenever one of the keys was set. Several sets may be one. */
  watch(keys: readonly KvKey[]): ReadableStream<unknown>;
  /** As the last part of a key in an atomic write: the versionstamp that the write gets. */
  commitVersionstamp(): symbol;
  /** Lets go of the store. */
  close(): void;
}
