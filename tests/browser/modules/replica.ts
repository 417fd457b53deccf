// A program that has one replica open.

import { openReplica } from "../../../client/open_replica.ts";
import type { Replica } from "../../../client/replica/replica.ts";
import { openStorage } from "../../../client/storage/open_storage.ts";
import { describe, serveCalls } from "../page/calls.ts";

let replica: Replica | undefined;

const CALLS: Readonly<Record<string, (...args: never[]) => unknown>> = {
  /** Opens a replica of a volume. */
  async open(
    url: string,
    vid: string,
    storage: string,
    wait: boolean,
    storageBytesMax?: number,
  ) {
    replica = await openReplica(url, vid, { storage, wait, storageBytesMax });
  },
  /** The first byte of a page, as the replica has it now. */
  async read(pageIdx: number) {
    using snapshot = opened().snapshot();
    return (await snapshot.read(pageIdx))[0];
  },
  /** The first bytes of pages 1 to n, as the replica has them now. */
  async readMany(count: number) {
    using snapshot = opened().snapshot();
    const pages = await snapshot.readMany(Array.from({ length: count }, (_, i) => i + 1));
    return Array.from(pages.values(), (page) => page[0]);
  },
  /** Fills a page in a transaction. */
  write: (pageIdx: number, value: number) =>
    opened().transaction((tx) => tx.write(pageIdx, new Uint8Array(4096).fill(value))),
  /** Writes pages 1 to n in a transaction: a byte, and behind it what cannot be compressed. */
  writeMany: (count: number, value: number) =>
    opened().transaction((tx) => {
      for (let pageIdx = 1; pageIdx <= count; pageIdx++) tx.write(pageIdx, noisyPage(value));
    }),
  /** Stores something else until the origin has no room left at all. */
  async fillOrigin() {
    const other = await openStorage("idb:other");
    for (const bytes of [65_536, 4096, 64]) {
      for (let n = 0, isFull = false; !isFull; n++) {
        const row = [`${bytes}/${n}`, crypto.getRandomValues(new Uint8Array(bytes))] as const;
        await Promise.resolve(other.write({ put: [row] })).catch(() => isFull = true);
      }
    }
    await other.close();
  },
  /** What JSON can say of the status. */
  status() {
    const { state, isOnline, localCommits, localPages, lsn, error } = opened().status();
    return { state, isOnline, localCommits, localPages, lsn, error: describe(error) };
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

function noisyPage(value: number): Uint8Array {
  const page = crypto.getRandomValues(new Uint8Array(4096));
  page[0] = value;
  return page;
}

serveCalls((name, args) => CALLS[name](...args));
