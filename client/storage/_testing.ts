// Parts that the tests of storages share. They run in browsers, too.

import type { OpenStorageOptions } from "./open_storage.ts";
import type { ReplicaStorage } from "./replica_storage.ts";

/** Somewhere a storage can be opened, more than once. */
export interface StoragePlace {
  /** Opens the storage; empty the first time. */
  open(options?: OpenStorageOptions): Promise<ReplicaStorage>;
  /** Removes what is left. Every owner is gone by then. */
  remove(): Promise<void>;
}

/** Something that holds in a place. */
export type Behaviour = (place: StoragePlace) => Promise<void>;
/** Something that is done with an open storage. */
export type StorageBehaviour = (storage: ReplicaStorage) => Promise<void>;

/** Bytes that differ from offset to offset and from seed to seed. */
export function sampleBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >>> 8) * 7 + seed * 101) & 0xff;
  return bytes;
}

/** A key as the replica makes them for pages. */
export function pageKey(pageIdx: number): string {
  return `p/5rMJhorqTfZqCSjD1GbT4Z/${pageIdx.toString(16).padStart(8, "0")}/000000000001`;
}

/** Opens a storage for as long as `use` takes. */
export async function withStorage(
  place: StoragePlace,
  use: StorageBehaviour,
  options?: OpenStorageOptions,
): Promise<void> {
  const storage = await place.open(options);
  try {
    await use(storage);
  } finally {
    await storage.close();
  }
}

/** All items. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** All rows by key. */
export async function rowsOf(storage: ReplicaStorage): Promise<Record<string, Uint8Array>> {
  return Object.fromEntries(await collect(storage.list({ prefix: "" })));
}

/** All keys of a range. */
export async function keysOf(
  storage: ReplicaStorage,
  prefix = "",
  after?: string,
): Promise<string[]> {
  return await collect(storage.keys({ prefix, ...(after === undefined ? {} : { after }) }));
}

/** The largest value. */
export const MEGABYTE = 1024 * 1024;
