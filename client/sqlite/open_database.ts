/**
 * Opens databases.
 *
 * @module
 */

import { isGraftError } from "../../src/core/errors.ts";
import { systemTimers } from "../../src/core/timers.ts";
import { requireKnown } from "../_setup.ts";
import { openReplica, type OpenReplicaOptions, REPLICA_OPTIONS } from "../open_replica.ts";
import type { Replica } from "../replica/replica.ts";
import { otherTurns } from "./_turns_io.ts";
import { Connection } from "./connection.ts";
import { Database } from "./database.ts";
import { type EngineOptions, type LoadedEngine, loadEngine } from "./engine/load_engine.ts";
import { graftPragmas } from "./graft_pragmas.ts";
import { fetchInteriorPages } from "./prefetch/interior_pages.ts";
import { BTreePrefetcher } from "./prefetch/b_tree_prefetcher.ts";
import { TransactionSource } from "./transaction_source.ts";
import { WriterLock } from "./vfs/writer_lock.ts";

/** How a database is opened. Everything is optional. */
export interface OpenDatabaseOptions extends Omit<OpenReplicaOptions, "prefetch"> {
  /**
   * Which pages to fetch along with those that SQLite misses. `b-tree` (default): those that come next where it
   * reads on through a table, an index, the rows of an index, or a long row; a look-up brings none along.
   * `interior`: beside these, when it is opened, all interior pages of the b-trees (a third of a percent of a
   * database), which spares look-ups a round trip or two. `none`: none.
   */
  readonly prefetch?: "b-tree" | "interior" | "none";
  /** Which build of SQLite, and where its WebAssembly is. */
  readonly engine?: EngineOptions;
  /** How many connections there may be, each with a cache of its own (up to 16 MiB, `pragma cache_size`); default 8. */
  readonly connectionsMax?: number;
  /** How long to wait for a connection, and for others who write; default 5,000 ms. */
  readonly busyMs?: number;
  /**
   * What to do when commits of others came first on the server. `replay` (default): transactions, scripts and
   * statements that wait here run again on what the server has, as one that is stale here does; where that
   * fails, or one was made before the database was opened, it is as with `wait`: the status says `conflict`, and
   * `replica.reset()`, `replay()` and `keepBoth()` are the ways out.
   */
  readonly onConflict?: "replay" | "wait";
  /** Statements that set up each connection, such as `pragma foreign_keys = off`. */
  readonly setup?: readonly string[];
}

const CONNECTIONS_MAX = 8;
const BUSY_MS = 5_000;
/**
 * What every connection begins with. A journal in memory is enough: nothing is written before a commit. A page that is
 * not in SQLite's own cache costs a call out of its WebAssembly, so the cache is larger than SQLite's 2 MiB.
 */
const SETUP = [
  "pragma journal_mode = memory",
  "pragma temp_store = memory",
  "pragma cache_size = -16384",
  "pragma foreign_keys = on",
];

/**
 * Opens a SQLite database on a volume: at once, however large it is. Queries fetch the pages that they touch;
 * transactions commit here, offline too, and are pushed in the background.
 *
 * @param url The server's URL.
 * @param volumeId The volume; without one a new database begins, which comes into being on the server with the first
 * push.
 * @throws {GraftError} As `openReplica`; `unavailable` when SQLite itself cannot be loaded.
 *
 * @example
 * ```ts
 * import { openDatabase } from "./open_database.ts";
 * import { startServer } from "../../src/server/mod.ts";
 *
 * const server = await startServer({ listen: ["127.0.0.1:0"], log: "memory:", objects: "memory:" });
 * const db = await openDatabase(server.urls[0]);
 * await db.script("create table posts (id integer primary key, title text)");
 * await db.transaction(async (tx) => {
 *   await tx.execute("insert into posts (title) values (?)", ["Hello"]);
 * });
 * console.log(await db.query("select * from posts")); // [ { id: 1, title: "Hello" } ]
 * await db.close();
 * await server.close();
 * ```
 */
export async function openDatabase(
  url: string | URL,
  volumeId?: string,
  options: OpenDatabaseOptions = {},
): Promise<Database> {
  const { engine, replica } = await openBoth(url, volumeId, options);
  const writers = new WriterLock();
  const setup = [...SETUP, ...options.setup ?? []];
  const database = new Database({
    replica,
    connect: (source) => {
      const isReplay = source instanceof TransactionSource;
      return Connection.open({
        source,
        engine,
        writers: isReplay ? new WriterLock() : writers,
        setup,
        prefetcher: options.prefetch === "none" ? undefined : bTreePrefetcher,
        pause: otherTurns,
        // what runs again runs while the replica stands still
        pragma: isReplay ? undefined : graftPragmas(replica),
      });
    },
    onConflict: options.onConflict ?? "replay",
    connectionsMax: options.connectionsMax ?? CONNECTIONS_MAX,
    busyMs: options.busyMs ?? BUSY_MS,
    timers: options.timers ?? systemTimers,
  });
  if (options.prefetch === "interior") await fetchInterior(database);
  return database;
}

/** What cannot be fetched now is fetched when it is read. */
async function fetchInterior(database: Database): Promise<void> {
  try {
    const roots = await database.values("select rootpage from sqlite_schema where rootpage > 0");
    const snapshot = database.replica.snapshot();
    try {
      await fetchInteriorPages(snapshot, [1, ...roots.map(([root]) => Number(root))]);
    } finally {
      snapshot.close();
    }
  } catch (error) {
    if (!isGraftError(error, "unavailable")) throw error;
  }
}

function bTreePrefetcher(connection: Connection): BTreePrefetcher {
  return new BTreePrefetcher({
    peek: (pageIdx) => connection.peek(pageIdx),
    pageCount: () => connection.pageCount,
  });
}

const DATABASE_OPTIONS: readonly string[] = Object.keys(
  {
    engine: true,
    connectionsMax: true,
    busyMs: true,
    onConflict: true,
    setup: true,
  } satisfies Record<Exclude<keyof OpenDatabaseOptions, keyof OpenReplicaOptions>, true>,
);

/** The engine is loaded while the replica asks its server. */
async function openBoth(
  url: string | URL,
  volumeId: string | undefined,
  options: OpenDatabaseOptions,
): Promise<{ engine: LoadedEngine; replica: Replica }> {
  requireKnown(options, [...REPLICA_OPTIONS, ...DATABASE_OPTIONS]);
  const isReplicas = ([name]: [string, unknown]) =>
    name !== "prefetch" && !DATABASE_OPTIONS.includes(name);
  const ofReplica: OpenReplicaOptions = Object.fromEntries(
    Object.entries(options).filter(isReplicas),
  );
  const [engine, replica] = await Promise.allSettled([
    loadEngine(options.engine),
    openReplica(url, volumeId, ofReplica),
  ]);
  if (replica.status === "rejected") throw replica.reason;
  if (engine.status === "fulfilled") return { engine: engine.value, replica: replica.value };
  await replica.value.close();
  throw engine.reason;
}
