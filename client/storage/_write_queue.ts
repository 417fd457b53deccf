// Batches on their way into a storage.

import { type Deferred, deferred } from "../replica/deferred.ts";
import { assert } from "../../src/core/assert.ts";
import { changesOf, type Durability, type RowChanges } from "./_rows.ts";
import type { StorageBatch } from "./replica_storage.ts";

/** Writes changes: all or none. When it resolves (or returns) they are as durable as asked. */
export type ApplyChanges = (changes: RowChanges, durability: Durability) => Promise<void> | void;

interface WaitingBatch {
  readonly changes: RowChanges;
  readonly durability: Durability;
  readonly bytes: number;
  readonly done: Deferred<void>;
}

/** Batches that wait together are one write up to this size: it bounds what a group takes in memory. */
const GROUP_BYTES_MAX = 8 * 1024 * 1024;

/**
 * Batches on their way into a storage: one write at a time, in the order of the calls; those that wait
 * together are written together. What is on its way can be read.
 */
export class WriteQueue {
  readonly #apply: ApplyChanges;
  readonly #tidy: () => Promise<void> | void;
  /** What is on its way, with the last batch that it is part of. */
  readonly #pending = new Map<string, { value: Uint8Array | undefined; batch: WaitingBatch }>();
  #waiting: WaitingBatch[] = [];
  #pumping: Promise<void> | undefined;
  #isClosed = false;

  /** No batches. `tidy` runs after each write, when its callers have been told; it must not throw. */
  constructor(apply: ApplyChanges, tidy: () => Promise<void> | void = () => {}) {
    this.#apply = apply;
    this.#tidy = tidy;
  }

  /** Takes a batch. Its rows can be read at once. */
  write(batch: StorageBatch): Promise<void> {
    assert(!this.#isClosed, "A closed storage is written to");
    const waiting = toWaiting(batch);
    for (const [key, value] of waiting.changes) this.#pending.set(key, { value, batch: waiting });
    this.#waiting.push(waiting);
    this.#pumping ??= this.#pump();
    return waiting.done.promise;
  }

  /** What a row on its way becomes (`value` undefined: it goes); undefined where none is on its way. */
  pending(key: string): { readonly value: Uint8Array | undefined } | undefined {
    return this.#pending.size === 0 ? undefined : this.#pending.get(key);
  }

  /** Resolves once nothing is on its way, however it ended. */
  async settled(): Promise<void> {
    while (this.#pumping !== undefined) await this.#pumping;
  }

  /** Takes no more, and waits for what is on its way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.settled();
  }

  async #pump(): Promise<void> {
    // what is written in the same turn goes together
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#writeGroup(this.#takeGroup());
    this.#pumping = undefined;
  }

  #takeGroup(): WaitingBatch[] {
    let bytes = 0;
    let count = 0;
    for (const batch of this.#waiting) {
      bytes += batch.bytes;
      if (count > 0 && bytes > GROUP_BYTES_MAX) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #writeGroup(group: readonly WaitingBatch[]): Promise<void> {
    const isStrict = group.some((batch) => batch.durability === "strict");
    try {
      await this.#apply(merge(group), isStrict ? "strict" : "relaxed");
    } catch (error) {
      this.#failAll(group, error);
      return;
    }
    for (const batch of group) {
      for (const key of batch.changes.keys()) {
        if (this.#pending.get(key)?.batch === batch) this.#pending.delete(key);
      }
      batch.done.resolve();
    }
    await this.#tidy();
  }

  /** Later batches may rest on those that failed, so all go. */
  #failAll(group: readonly WaitingBatch[], error: unknown): void {
    const failed = [...group, ...this.#waiting];
    this.#waiting = [];
    this.#pending.clear();
    for (const batch of failed) batch.done.reject(error);
  }
}

function toWaiting(batch: StorageBatch): WaitingBatch {
  const changes = changesOf(batch);
  let bytes = 0;
  for (const value of changes.values()) bytes += value?.length ?? 0;
  return {
    changes,
    durability: batch.durability ?? "strict",
    bytes,
    done: deferred(),
  };
}

function merge(group: readonly WaitingBatch[]): RowChanges {
  if (group.length === 1) return group[0].changes;
  const merged = new Map<string, Uint8Array | undefined>();
  for (const { changes } of group) {
    for (const [key, value] of changes) merged.set(key, value);
  }
  return merged;
}
