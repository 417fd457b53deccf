// Pages in memory as the source of a database, in every state that they were in.

import { type Lsn, toLsn } from "../../../src/core/lsn.ts";
import { GraftError } from "../../../src/core/errors.ts";
import { parseGid, type VolumeId } from "../../../src/core/gid.ts";
import type { LocalChanges } from "../../replica/local/replica_store.ts";
import { Connection, type ConnectionParts } from "../connection.ts";
import { type EngineBuild, loadEngine } from "../engine/load_engine.ts";
import type { DatabaseSnapshot, DatabaseSource } from "../source.ts";
import { WriterLock } from "./writer_lock.ts";

/** The volume of tests. */
export const VID: VolumeId = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");

/** The error of a server that does not answer. */
export function unreachable(): GraftError {
  return new GraftError("unavailable", "Cannot reach the server: the connection failed", {
    hint: "Try again later",
  });
}

/** A page that is easily told apart. */
export function page(fill: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(4096).fill(fill);
}

interface State {
  readonly pages: ReadonlyMap<number, Uint8Array>;
  readonly pageCount: number;
}

/** A volume in memory. */
export class TestSource implements DatabaseSource {
  readonly vid = VID;
  isReadOnly = false;
  /** Whether a page has to be waited for. */
  isLate: (pageIdx: number) => boolean = () => false;
  /** Goes before each page that is waited for. */
  onRead: (pageIdx: number) => Promise<void> = () => Promise.resolve();
  /** Goes before each commit. */
  onCommit: () => Promise<void> = () => Promise.resolve();
  /** The pages that were asked for along with others. */
  readonly prefetched: number[] = [];
  /** What was committed. */
  readonly commits: LocalChanges[] = [];
  /** Snapshots that are open. */
  open = 0;
  readonly #states: State[] = [{ pages: new Map(), pageCount: 0 }];

  get newest(): number {
    return this.#states.length - 1;
  }

  snapshot(): DatabaseSnapshot {
    const state = this.newest;
    const { pages, pageCount } = this.#states[state];
    const lsn: Lsn | undefined = state === 0 ? undefined : toLsn(state);
    let isOpen = true;
    this.open++;
    return {
      lsn,
      state,
      pageCount,
      peek: (pageIdx) => this.isLate(pageIdx) ? undefined : pages.get(pageIdx) ?? page(0),
      read: async (pageIdx) => {
        await this.onRead(pageIdx);
        return pages.get(pageIdx) ?? page(0);
      },
      prefetch: (wanted) => void this.prefetched.push(...wanted),
      close: () => {
        if (isOpen) this.open--;
        isOpen = false;
      },
    };
  }

  async commit(snapshot: DatabaseSnapshot, changes: LocalChanges): Promise<DatabaseSnapshot> {
    await this.onCommit();
    if (snapshot.state !== this.newest) throw new GraftError("conflict", "Cannot commit: stale");
    this.write(changes);
    snapshot.close();
    return this.snapshot();
  }

  /** Makes the next state. */
  write(changes: LocalChanges): void {
    this.commits.push(changes);
    const { pages } = this.#states[this.newest];
    const kept = [...pages, ...changes.pages].filter(([i]) => i <= changes.pageCount);
    this.#states.push({ pages: new Map(kept), pageCount: changes.pageCount });
  }
}

/** Opens a connection. */
export async function connect(
  build: EngineBuild,
  source: DatabaseSource = new TestSource(),
  parts: Partial<ConnectionParts> = {},
): Promise<Connection> {
  return await Connection.open({
    source,
    engine: await loadEngine({ build }),
    writers: new WriterLock(),
    setup: ["pragma journal_mode = memory", "pragma temp_store = memory"],
    ...parts,
  });
}
