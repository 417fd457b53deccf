// A database of which nothing is here, and what it takes to read it.

import { DatabaseSync } from "node:sqlite";
import { parseGid, type VolumeId } from "../../../src/core/gid.ts";
import { Connection } from "../connection.ts";
import { loadEngine } from "../engine/load_engine.ts";
import type { DatabaseSnapshot, DatabaseSource } from "../source.ts";
import { WriterLock } from "../vfs/writer_lock.ts";
import { BTreePrefetcher } from "./b_tree_prefetcher.ts";

const PAGE_BYTES = 4096;

/** Makes a database with SQLite's own, and answers its pages, the first at 0. */
export async function makePages(setup: (database: DatabaseSync) => void): Promise<Uint8Array[]> {
  const path = await Deno.makeTempFile({ suffix: ".db" });
  try {
    const database = new DatabaseSync(path);
    database.exec("pragma page_size = 4096; pragma journal_mode = memory");
    setup(database);
    database.close();
    const bytes = await Deno.readFile(path);
    return Array.from(
      { length: bytes.length / PAGE_BYTES },
      (_, i) => bytes.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES),
    );
  } finally {
    await Deno.remove(path);
  }
}

/** Pages that have to be fetched; what is asked for in one turn comes with one round trip. */
export class ColdSource implements DatabaseSource {
  readonly vid: VolumeId = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
  readonly isReadOnly = true;
  readonly newest = 1;
  /** How often the server was asked. */
  roundTrips = 0;
  readonly #pages: readonly Uint8Array[];
  readonly #here = new Set<number>();
  #wanted: Set<number> | undefined;
  #trip: Promise<void> = Promise.resolve();

  constructor(pages: readonly Uint8Array[]) {
    this.#pages = pages;
  }

  /** How many pages were fetched. */
  get fetched(): number {
    return this.#here.size;
  }

  snapshot(): DatabaseSnapshot {
    const page = (pageIdx: number) => this.#pages[pageIdx - 1] ?? new Uint8Array(PAGE_BYTES);
    return {
      lsn: undefined,
      state: 1,
      pageCount: this.#pages.length,
      peek: (pageIdx) => this.#here.has(pageIdx) ? page(pageIdx) : undefined,
      read: async (pageIdx) => {
        await this.#fetch([pageIdx]);
        return page(pageIdx);
      },
      prefetch: (pages) => void this.#fetch(pages),
      close: () => {},
    };
  }

  commit(): Promise<DatabaseSnapshot> {
    return Promise.reject(new Error("Cannot commit: the source is read-only"));
  }

  #fetch(pages: Iterable<number>): Promise<void> {
    const wanted = [...pages].filter((pageIdx) => !this.#here.has(pageIdx));
    if (wanted.length === 0) return Promise.resolve();
    if (this.#wanted === undefined) {
      const trip = this.#wanted = new Set();
      this.roundTrips++;
      this.#trip = new Promise((resolve) => setTimeout(resolve)).then(() => {
        this.#wanted = undefined;
        for (const pageIdx of trip) this.#here.add(pageIdx);
      });
    }
    for (const pageIdx of wanted) this.#wanted.add(pageIdx);
    return this.#trip;
  }
}

/** What a cold run took. */
export interface ColdRun {
  readonly roundTrips: number;
  readonly fetched: number;
  /** Pages that were read. */
  readonly needed: number;
  readonly rows: unknown[];
}

/** Runs statements on a database of which nothing is here, each page read once. */
export async function runCold(
  pages: readonly Uint8Array[],
  sql: readonly string[],
  prefetch = true,
): Promise<ColdRun> {
  const source = new ColdSource(pages);
  const connection = await Connection.open({
    source,
    engine: await loadEngine(),
    writers: new WriterLock(),
    setup: ["pragma cache_size = 5000"],
    prefetcher: prefetch
      ? (connection) =>
        new BTreePrefetcher({
          peek: (pageIdx) => connection.peek(pageIdx),
          pageCount: () => connection.pageCount,
        })
      : undefined,
  });
  connection.pages.record();
  const rows: unknown[] = [];
  try {
    for (const each of sql) rows.push(...await connection.all(each, [], "array"));
  } finally {
    await connection.close();
  }
  const needed = connection.pages.takeRecord().size;
  return { roundTrips: source.roundTrips, fetched: source.fetched, needed, rows };
}
