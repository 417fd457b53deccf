// What replicas may show: the reference that a simulation holds them against.

import { TestStorage } from "../../client/replica/local/_testing_storage.ts";
import type { TestRemote, TestServer } from "../../client/replica/remote/_testing_remote.ts";
import type { Replica } from "../../client/replica/replica.ts";
import type { ReplicaSnapshot } from "../../client/replica/snapshot.ts";
import type { VolumeId } from "../../src/core/gid.ts";

/** What a volume holds: a stamp a page, 0 for zeros. */
export interface Content {
  readonly pageCount: number;
  readonly stamps: ReadonlyMap<number, number>;
}

/** A page's stamp. */
export function stampOf(page: Uint8Array | undefined): number {
  return page === undefined ? 0 : new DataView(page.buffer, page.byteOffset).getUint32(0);
}

/** A page with a stamp. */
export function pageWith(stamp: number): Uint8Array<ArrayBuffer> {
  const page = new Uint8Array(4096);
  if (stamp > 0) page.fill(stamp % 251 + 1);
  new DataView(page.buffer).setUint32(0, stamp);
  return page;
}

/** What the server has at an LSN. */
export function serverContent(server: TestServer, vid: VolumeId, lsn: number | undefined): Content {
  if (lsn === undefined) return { pageCount: 0, stamps: new Map() };
  const { pageCount } = server.line(vid)[lsn - 1].snapshot;
  const stamps = new Map<number, number>();
  for (let page = 1; page <= pageCount; page++) {
    const stamp = stampOf(server.page(vid, lsn, page));
    if (stamp > 0) stamps.set(page, stamp);
  }
  return { pageCount, stamps };
}

/** Whether two contents are the same. */
export function isSame(a: Content, b: Content): boolean {
  const text = ({ pageCount, stamps }: Content) =>
    JSON.stringify([pageCount, [...stamps].sort(([x], [y]) => x - y)]);
  return text(a) === text(b);
}

/** One replica, through crashes. */
export class Node {
  replica: Replica | undefined;
  storage = new TestStorage();
  remote!: TestRemote;
  /** What each state holds, once it was seen or promised: one of these. */
  readonly known = new Map<number, readonly Content[]>();
  /** What each state may hold. */
  readonly possible = new Map<number, readonly Content[]>();
  /** What transactions came to that ran again. */
  readonly replays: Content[] = [];
  /** Commits that were promised; a reset takes some back. */
  promised = 0;
  /** Resets that are under way. */
  resets = 0;
  /** How many there were, ended or not. */
  resetsEver = 0;
  isOnline = true;
  /** Snapshots that are to stay as they are. */
  held: ReplicaSnapshot[] = [];

  constructor(readonly index: number) {}

  /** The page that counts this replica's commits. */
  get journal(): number {
    return this.index + 1;
  }
}
