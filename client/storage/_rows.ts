// What every storage checks and counts in the same way.

import { assert } from "../../src/core/assert.ts";
import {
  type StorageBatch,
  type StorageRange,
  STORED_KEY_CHARACTERS_MAX,
  STORED_VALUE_BYTES_MAX,
} from "./replica_storage.ts";

/** The new value of each row; undefined: the row goes. */
export type RowChanges = ReadonlyMap<string, Uint8Array | undefined>;

/** How sure a write is when it resolves. */
export type Durability = NonNullable<StorageBatch["durability"]>;

const KEY = new RegExp(`^[\\x20-\\x7e]{1,${STORED_KEY_CHARACTERS_MAX}}$`);

/** What a batch changes. */
export function changesOf(batch: StorageBatch): RowChanges {
  const changes = new Map<string, Uint8Array | undefined>();
  for (const [key, value] of batch.put ?? []) {
    assert(value.length <= STORED_VALUE_BYTES_MAX, "A row's value has more than 1 MiB");
    add(changes, key, value);
  }
  for (const key of batch.delete ?? []) add(changes, key, undefined);
  return changes;
}

function add(
  changes: Map<string, Uint8Array | undefined>,
  key: string,
  value: Uint8Array | undefined,
): void {
  assert(KEY.test(key), "A row's key is not 1 to 120 printable ASCII characters");
  assert(!changes.has(key), "A key is twice in one batch");
  changes.set(key, value);
}

/** The bytes that a row counts for. */
export function rowBytes(key: string, valueBytes: number): number {
  return key.length + valueBytes;
}

/** The keys of a range, ascending. */
export function keysInRange(
  keys: Iterable<string>,
  { prefix, after = "" }: StorageRange,
): string[] {
  const found: string[] = [];
  for (const key of keys) if (key > after && key.startsWith(prefix)) found.push(key);
  return found.sort(byCodeUnit);
}

/** The order of ASCII; `localeCompare` knows another one. */
function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
