/**
 * A transaction of a replica as the source of a database: SQL that runs again on what the server has.
 *
 * @module
 */

import type { VolumeId } from "../../src/core/gid.ts";
import type { LocalChanges } from "../replica/local/replica_store.ts";
import type { Transaction } from "../replica/transaction.ts";
import type { DatabaseSnapshot, DatabaseSource } from "./source.ts";

/** The pages that a transaction sees. What is committed is written to it. */
export class TransactionSource implements DatabaseSource {
  /** The volume. */
  readonly vid: VolumeId;
  /** A transaction can be written to. */
  readonly isReadOnly = false;
  readonly #tx: Transaction;
  #newest = 0;

  /** On a transaction that is under way. */
  constructor(vid: VolumeId, tx: Transaction) {
    this.vid = vid;
    this.#tx = tx;
  }

  /** Counts the commits. */
  get newest(): number {
    return this.#newest;
  }

  /** The transaction as it is; there is one user at a time, so it stays so. */
  snapshot(): DatabaseSnapshot {
    const tx = this.#tx;
    return {
      lsn: undefined,
      state: this.#newest,
      pageCount: tx.pageCount,
      peek: () => undefined,
      read: (pageIdx) => tx.read(pageIdx),
      prefetch: () => {},
      close: () => {},
    };
  }

  /** Writes to the transaction. */
  commit(_snapshot: DatabaseSnapshot, { pages, pageCount }: LocalChanges): DatabaseSnapshot {
    this.#tx.truncate(pageCount);
    for (const [pageIdx, page] of pages) this.#tx.write(pageIdx, page);
    this.#newest++;
    return this.snapshot();
  }
}
