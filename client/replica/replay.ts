/**
 * Transactions that run again on another base.
 *
 * @module
 */

import { PageSet } from "../../src/core/page_set.ts";
import { ZERO_PAGE } from "./local/page_codec.ts";
import type { RemoteChanges, ReplicaRemote } from "./remote/remote.ts";
import type { LocalChanges } from "./local/replica_store.ts";
import { Transaction, type TransactionBase } from "./transaction.ts";

/** What a transaction does; it may be called again. */
export type TransactionFunction<T = unknown> = (tx: Transaction) => T | Promise<T>;

/** What the server has, with the transactions so far on top of it. */
class ReplayBase implements TransactionBase {
  readonly #changes: RemoteChanges;
  readonly #remote: ReplicaRemote;
  readonly #signal: AbortSignal;
  readonly #fetched = new Map<number, Promise<Uint8Array>>();
  readonly #written = new Map<number, Uint8Array>();
  /** Pages of the server above were cut off. */
  #kept: number;
  pageCount: number;

  constructor(changes: RemoteChanges, remote: ReplicaRemote, signal: AbortSignal) {
    this.#changes = changes;
    this.#remote = remote;
    this.#signal = signal;
    this.pageCount = changes.snapshot.pageCount;
    this.#kept = this.pageCount;
  }

  async read(pageIdx: number): Promise<Uint8Array> {
    const written = this.#written.get(pageIdx);
    if (written !== undefined) return written;
    if (pageIdx > this.#kept) return ZERO_PAGE;
    const fetched = this.#fetched.get(pageIdx) ?? this.#fetch(pageIdx);
    this.#fetched.set(pageIdx, fetched);
    return await fetched;
  }

  apply({ pages, pageCount }: LocalChanges): void {
    this.pageCount = pageCount;
    this.#kept = Math.min(this.#kept, pageCount);
    for (const pageIdx of this.#written.keys()) {
      if (pageIdx > pageCount) this.#written.delete(pageIdx);
    }
    for (const [pageIdx, page] of pages) this.#written.set(pageIdx, page);
  }

  async #fetch(pageIdx: number): Promise<Uint8Array> {
    const { vid, lsn } = this.#changes.snapshot;
    let page = ZERO_PAGE;
    const wanted = PageSet.from([pageIdx]);
    await this.#remote.readPages(vid, lsn, wanted, (found, view) => {
      if (found === pageIdx) page = view.slice();
    }, this.#signal);
    return page;
  }
}

/** What a transaction changes that ran again. */
export interface Replayed extends LocalChanges {
  /** The transaction. */
  readonly run: TransactionFunction;
}

/** What transactions change when they run one after the other on what the server has. */
export async function replayOn(
  changes: RemoteChanges,
  functions: readonly TransactionFunction[],
  remote: ReplicaRemote,
  signal: AbortSignal,
): Promise<Replayed[]> {
  const base = new ReplayBase(changes, remote, signal);
  const results: Replayed[] = [];
  for (const run of functions) {
    const tx = new Transaction(base);
    await run(tx);
    tx.end();
    if (!tx.hasChanges) continue;
    results.push({ ...tx.changes, run });
    base.apply(tx.changes);
  }
  return results;
}
