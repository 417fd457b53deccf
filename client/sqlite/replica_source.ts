/**
 * A replica as the source of a database.
 *
 * @module
 */

import { assert } from "../../src/core/assert.ts";
import type { VolumeId } from "../../src/core/gid.ts";
import type { Replica } from "../replica/replica.ts";
import type { LocalChanges } from "../replica/replica_store.ts";
import type { TransactionFunction } from "../replica/replay.ts";
import { ReplicaSnapshot } from "../replica/snapshot.ts";
import type { DatabaseSnapshot, DatabaseSource } from "./source.ts";

/** The pages of a replica. */
export class ReplicaSource implements DatabaseSource {
  /** What makes the commits of the connection again that has this source, for a replay. */
  run: TransactionFunction | undefined;
  readonly #replica: Replica;

  /** The replica is not closed with it. */
  constructor(replica: Replica) {
    this.#replica = replica;
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
  async commit(snapshot: DatabaseSnapshot, changes: LocalChanges): Promise<DatabaseSnapshot> {
    assert(snapshot instanceof ReplicaSnapshot, "A source commits on its own snapshots");
    return await this.#replica.commit(snapshot, changes, this.run);
  }
}
