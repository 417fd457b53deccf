// What waits for the group writer.

import { assert } from "../../../core/assert.ts";
import type { VolumeId } from "../../../core/gid.ts";
import type { AppendOutcome, CommitRecord, Head } from "../../commit_log.ts";
import { type Batchable, type Cost, costOf, type Mutation } from "./batch.ts";
import type { KvVersion } from "../_head_cache.ts";
import { headKey } from "../_keys.ts";

/** A compare-and-set of one volume's head, and what goes with it. */
export interface HeadChange {
  readonly vid: VolumeId;
  /** What the head's version must be. */
  readonly baseVersion: KvVersion;
  /** The collection version that the change rests on; undefined when it rests on none. */
  readonly checkedAgainst: KvVersion | undefined;
  /** The head that it sets. */
  readonly head: Head;
  /** The record that it appends; a tombstone has none. */
  readonly record: CommitRecord | undefined;
  /** All that it writes, the head included. */
  readonly mutations: readonly Mutation[];
}

/** A change that waits, and its caller. */
export class PendingChange implements Batchable {
  readonly change: HeadChange;
  readonly vid: VolumeId;
  readonly cost: Cost;
  readonly outcome: Promise<AppendOutcome>;
  readonly resolve: (outcome: AppendOutcome) => void;
  readonly reject: (error: unknown) => void;
  /** Batches that failed with this in them although nothing had changed. */
  fruitless = 0;
  /** Batches that had failed when it came. */
  readonly failuresBefore: number;

  constructor(change: HeadChange, failuresBefore: number) {
    this.change = change;
    this.failuresBefore = failuresBefore;
    this.vid = change.vid;
    this.cost = costOf(change.mutations, headKey(change.vid));
    ({ promise: this.outcome, resolve: this.resolve, reject: this.reject } = Promise
      .withResolvers<AppendOutcome>());
  }

  get mutations(): readonly Mutation[] {
    return this.change.mutations;
  }
}

/** Mutations that depend on nothing and may be repeated, and their caller. */
export class PendingWrite implements Batchable {
  readonly vid = undefined;
  readonly mutations: readonly Mutation[];
  readonly cost: Cost;
  readonly outcome: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** Whether its outcome was unknown once, and it was written again. */
  repeated = false;

  constructor(mutations: readonly Mutation[]) {
    assert(mutations.length > 0, "A write has nothing to write");
    this.mutations = mutations;
    this.cost = costOf(mutations);
    ({ promise: this.outcome, resolve: this.resolve, reject: this.reject } = Promise
      .withResolvers<void>());
  }
}

/** Anything that waits. */
export type Pending = PendingChange | PendingWrite;
