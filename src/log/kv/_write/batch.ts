// What goes into one atomic write.

import type { VolumeId } from "../../../core/gid.ts";
import { keyBytes } from "../_keys.ts";
import type { KvKey } from "../kv_handle.ts";
import type { AtomicLimits } from "../_limits.ts";

/** Sets a key, or removes it (`value` undefined). */
export interface Mutation {
  readonly key: KvKey;
  readonly value: Uint8Array | undefined;
}

/** What something takes of an atomic write. */
export type Cost = AtomicLimits;

/** Something that may be part of a batch. */
export interface Batchable {
  /** The volume whose head it changes, if it does. */
  readonly vid: VolumeId | undefined;
  readonly cost: Cost;
}

/** The collection key's check and the mutations of feed and bell, which every batch may have. */
const OWN_COST: Cost = { checks: 1, mutations: 2, keyBytes: 80, bytes: 120 };
/** What one change adds to the batch's value in the feed: an id, its flags and a varint. */
const FEED_ENTRY_BYTES = 25;

/** The cost of mutations, together with the check of a head where there is one. */
export function costOf(mutations: readonly Mutation[], checkedHead?: KvKey): Cost {
  let keys = checkedHead === undefined ? 0 : keyBytes(checkedHead);
  let values = checkedHead === undefined ? 0 : FEED_ENTRY_BYTES;
  for (const { key, value } of mutations) {
    keys += keyBytes(key);
    values += value?.length ?? 0;
  }
  return {
    checks: checkedHead === undefined ? 0 : 1,
    mutations: mutations.length,
    keyBytes: keys,
    bytes: keys + values,
  };
}

/** Collects what is written together: as much as fits, and at most one change a volume. */
export class Batch<T extends Batchable> {
  readonly items: T[] = [];
  readonly #limits: AtomicLimits;
  readonly #vids = new Set<VolumeId>();
  #cost = OWN_COST;

  constructor(limits: AtomicLimits) {
    this.#limits = limits;
  }

  /** Bytes of keys and values. */
  get bytes(): number {
    return this.#cost.bytes;
  }

  /** Adds `item`, unless it does not fit or its volume is in the batch already. */
  add(item: T): boolean {
    if (item.vid !== undefined && this.#vids.has(item.vid)) return false;
    const cost = sum(this.#cost, item.cost);
    if (!fits(cost, this.#limits)) return false;
    this.#cost = cost;
    this.items.push(item);
    if (item.vid !== undefined) this.#vids.add(item.vid);
    return true;
  }
}

function sum(a: Cost, b: Cost): Cost {
  return {
    checks: a.checks + b.checks,
    mutations: a.mutations + b.mutations,
    keyBytes: a.keyBytes + b.keyBytes,
    bytes: a.bytes + b.bytes,
  };
}

function fits(cost: Cost, limits: AtomicLimits): boolean {
  return cost.checks <= limits.checks && cost.mutations <= limits.mutations &&
    cost.keyBytes <= limits.keyBytes && cost.bytes <= limits.bytes;
}
