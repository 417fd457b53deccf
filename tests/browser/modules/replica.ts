// A program that has one replica open.

import { openReplica } from "../../../client/open_replica.ts";
import type { Replica } from "../../../client/replica/replica.ts";
import { serveCalls } from "../page/calls.ts";

let replica: Replica | undefined;

const CALLS: Readonly<Record<string, (...args: never[]) => unknown>> = {
  /** Opens a replica of a volume. */
  async open(url: string, vid: string, storage: string, wait: boolean) {
    replica = await openReplica(url, vid, { storage, wait });
  },
  /** The first byte of a page, as the replica has it now. */
  async read(pageIdx: number) {
    using snapshot = opened().snapshot();
    return (await snapshot.read(pageIdx))[0];
  },
  /** Fills a page in a transaction. */
  write: (pageIdx: number, value: number) =>
    opened().transaction((tx) => tx.write(pageIdx, new Uint8Array(4096).fill(value))),
  /** What JSON can say of the status. */
  status() {
    const { state, isOnline, localCommits, lsn } = opened().status();
    return { state, isOnline, localCommits, lsn };
  },
  /** Resolves when all is pushed. */
  sync: () => opened().sync(),
  /** Closes the replica. */
  close: () => opened().close(),
};

function opened(): Replica {
  if (replica === undefined) throw new Error("Cannot use the replica: it is not open");
  return replica;
}

serveCalls((name, args) => CALLS[name](...args));
