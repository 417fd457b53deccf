/**
 * A replica as the source of a database.
 *
 * @module
 */

import { assert } from "../../src/core/assert.ts";
import { GraftError } from "../../src/core/errors.ts";
import type { VolumeId } from "../../src/core/gid.ts";
import type { Replica } from "../replica/replica.ts";
import type { LocalChanges } from "../replica/local/replica_store.ts";
import type { TransactionFunction } from "../replica/replay.ts";
import { ReplicaSnapshot } from "../replica/snapshot.ts";
import type { DatabaseSnapshot, DatabaseSource } from "./source.ts";

/** The pages of a replica. */
export class ReplicaSource implements DatabaseSource {
  readonly #replica: Replica;
  readonly #mustTakeTurns: boolean;
  /** Who may commit now, and what makes that commit again. */
  #turn: { readonly replay: TransactionFunction | undefined } | undefined;

  /**
   * The replica is not closed with it.
   *
   * @param mustTakeTurns Whether commits are allowed only between {@linkcode ReplicaSource.beginTurn} and its end.
   */
  constructor(replica: Replica, mustTakeTurns = false) {
    this.#replica = replica;
    this.#mustTakeTurns = mustTakeTurns;
  }

  /** Whether nothing can be committed. */
  get isReadOnly(): boolean {
    return this.#replica.isReadOnly;
  }

  /** The volume. */
  get vid(): VolumeId {
    return this.#replica.vid;
  }

  /** The number of the newest state. */
  get newest(): number {
    return this.#replica.state;
  }

  /** The newest state. */
  snapshot(): DatabaseSnapshot {
    return this.#replica.snapshot();
  }

  /** Commits here; it is pushed in the background. */
  commit(
    snapshot: DatabaseSnapshot,
    changes: LocalChanges,
  ): DatabaseSnapshot | Promise<DatabaseSnapshot> {
    assert(snapshot instanceof ReplicaSnapshot, "A source commits on its own snapshots");
    if (this.#mustTakeTurns && this.#turn === undefined) {
      throw new GraftError("forbidden", "Cannot commit: the call was to read only");
    }
    return this.#replica.commitNow(snapshot, changes, this.#turn?.replay);
  }

  /**
   * From now on commits are allowed, until {@linkcode ReplicaSource.endTurn}.
   *
   * @param replay What makes the commit again; undefined where it cannot be made again.
   */
  beginTurn(replay: TransactionFunction | undefined): void {
    this.#turn = { replay };
  }

  /** From now on there are no commits. */
  endTurn(): void {
    this.#turn = undefined;
  }
}
