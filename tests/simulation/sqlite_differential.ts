// One database on our file system and one of SQLite's own, driven by one seed: they have to agree after each step.

import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { Bench } from "../../client/replica/_testing.ts";
import { unreachable } from "../../client/replica/remote/_testing_remote.ts";
import { TestStorage } from "../../client/replica/local/_testing_storage.ts";
import type { Replica } from "../../client/replica/replica.ts";
import { Connection } from "../../client/sqlite/connection.ts";
import { type EngineBuild, loadEngine } from "../../client/sqlite/engine/load_engine.ts";
import { SqliteError } from "../../client/sqlite/engine/sqlite_error.ts";
import { ReplicaSource } from "../../client/sqlite/replica_source.ts";
import { WriterLock } from "../../client/sqlite/vfs/writer_lock.ts";
import type { SqlParameter } from "../../client/sqlite/engine/values.ts";
import { Chance } from "./chance.ts";
import { FaultySource, type PageFaults } from "./sqlite_faulty_source.ts";
import { type Outcome, SqliteOracle } from "./sqlite_oracle.ts";
import { type RandomStatement, StatementSource } from "./sqlite_statements.ts";

const BUSY_SNAPSHOT = 517;
const SETUP = ["pragma journal_mode = memory", "pragma temp_store = memory"];

/** A change, whatever the schema. */
const STALE = { sql: "insert into log (what) values ('stale')", parameters: [] };

const NO_FAULTS = { onRead: () => Promise.resolve(), onCommit: () => Promise.resolve() };

/** What a run is given. */
export interface DifferentialOptions {
  readonly seed: number;
  readonly steps: number;
  readonly build: EngineBuild;
}

/** One run. */
export class SqliteDifferential {
  readonly #options: DifferentialOptions;
  readonly #chance: Chance;
  readonly #statements: StatementSource;
  readonly #oracle = new SqliteOracle();
  readonly #bench = new Bench();
  readonly #bytesMax: number;
  readonly #faults: PageFaults;
  /** How many of a hundred pages that are here come late. */
  #lateness = 0;
  #storage!: TestStorage;
  #replica!: Replica;
  #connections!: Connection[];
  #inTransaction: Connection | undefined;
  /** What the others see while a transaction is open. */
  #committed = "";
  #committedDumps: string[] = [];
  /** What happened, for whoever looks for the cause. */
  readonly log: string[] = [];
  /** How often something failed that SQLite's own database does not know. */
  faults = 0;

  constructor(options: DifferentialOptions) {
    this.#options = options;
    this.#chance = new Chance(options.seed);
    this.#statements = new StatementSource(this.#chance);
    this.#faults = { isMissed: () => this.#chance.is(this.#lateness), ...NO_FAULTS };
    this.#bytesMax = this.#chance.is(0.5) ? 150_000 : Infinity;
  }

  async run(): Promise<void> {
    await this.#open(true);
    for (const sql of ["pragma foreign_keys = on", ...this.#statements.schema()]) {
      await this.#connections[0].script(sql);
      this.#oracle.rows(sql);
    }
    await this.#compare(this.#connections[0]);
    for (let i = 0; i < this.#options.steps; i++) await this.#step();
    await this.#finish();
  }

  async #finish(): Promise<void> {
    if (this.#inTransaction !== undefined) {
      await this.#statement({ sql: "rollback", parameters: [] });
    }
    await this.#replica.sync();
    await this.#reopen(new TestStorage());
    await this.#compare(this.#connections[1], true);
    await this.#close();
    this.#oracle.close();
  }

  async #step(): Promise<void> {
    const at = this.#chance.fraction();
    this.#storage.isSlow = this.#chance.is(0.3);
    this.#lateness = this.#chance.is(0.5) ? this.#chance.fraction() : 0;
    if (at < 0.06) return await this.#note("sync", () => this.#replica.sync());
    if (at < 0.09) return await this.#setCacheSize();
    if (this.#inTransaction !== undefined && at < 0.13) return await this.#lookFromOutside();
    if (this.#inTransaction === undefined && at < 0.12) {
      return await this.#note("cold", async () => {
        await this.#replica.sync();
        await this.#reopen(new TestStorage());
      });
    }
    if (this.#inTransaction === undefined && at < 0.15) return await this.#becomeStale();
    await this.#statement(this.#statements.next());
  }

  async #statement(
    { sql, parameters }: RandomStatement,
    connection = this.#inTransaction ?? this.#connections[this.#chance.below(2)],
  ): Promise<void> {
    const wasInTransaction = this.#oracle.isInTransaction;
    const ours = await this.#runHere(connection, sql, parameters);
    this.log.push(
      `${sql} [${parameters.map(show)}] → ${ours instanceof SqliteError ? ours.code : "ok"}`,
    );
    if (ours instanceof SqliteError) this.#follow(ours, wasInTransaction);
    else {
      const outcome = this.#oracle.run(sql, parameters);
      assert.deepEqual(normal(ours), normal(outcome), sql);
    }
    assert.equal(
      connection.isInTransaction,
      this.#oracle.isInTransaction,
      `In a transaction: ${sql}`,
    );
    this.#inTransaction = connection.isInTransaction ? connection : undefined;
    await this.#compare(connection);
  }

  /** A read that failed, or a storage that is full: the transaction is over, or the statement did nothing. */
  #follow(error: SqliteError, wasInTransaction: boolean): void {
    this.faults++;
    assert.equal(
      error.isRolledBack && !wasInTransaction,
      false,
      "Only what is open is rolled back",
    );
    if (error.isRolledBack) this.#oracle.rows("rollback");
  }

  /** What SQLite says; an error of pages as such. */
  async #runHere(
    connection: Connection,
    sql: string,
    parameters: readonly SqlParameter[],
  ): Promise<Outcome | SqliteError> {
    const abort = new AbortController();
    const fault = this.#fault(abort);
    try {
      // SQLite's own connections, too, alter tables as they were when they last looked
      await this.#rows(connection, "select count(*) from sqlite_schema");
      const before = await this.#changes(connection, "total_changes()");
      Object.assign(this.#faults, fault);
      const rows = await connection.abortable(
        abort.signal,
        () => connection.all(sql, parameters, "array"),
      );
      Object.assign(this.#faults, NO_FAULTS);
      // what FTS5 writes of its own accord counts, too
      const isChange = /^(insert|update|delete)/.test(sql) &&
        await this.#changes(connection, "total_changes()") !== before;
      return { rows, rowsAffected: isChange ? await this.#changes(connection, "changes()") : 0 };
    } catch (error) {
      if (!(error instanceof SqliteError)) throw error;
      const isFault = error.code === "unavailable" || error.code === "aborted";
      if (!isFault) this.log.push(error.message);
      return isFault ? error : { errorCode: error.resultCode };
    } finally {
      Object.assign(this.#faults, NO_FAULTS);
      await setImmediate();
    }
  }

  /** What happens to pages while a statement runs. */
  #fault(abort: AbortController): Partial<PageFaults> {
    const kind = this.#chance.fraction();
    let left = this.#chance.below(this.#chance.is(0.5) ? 2 : 30);
    const fail = (): Promise<void> => {
      if (left-- === 0) return Promise.reject(unreachable());
      return Promise.resolve();
    };
    if (kind < 0.2) return { onRead: fail };
    if (kind < 0.25) return { onCommit: () => Promise.reject(unreachable()) };
    if (kind > 0.35) return {};
    return {
      onRead: async () => {
        if (left-- === 0) abort.abort();
        await setImmediate();
      },
    };
  }

  /** Others see what was committed, whatever the transaction has done. */
  async #lookFromOutside(): Promise<void> {
    const other = this.#connections.find((connection) => connection !== this.#inTransaction)!;
    const dumps = this.#committedDumps;
    assert.equal(await this.#describe(other, dumps), this.#committed, "What others see");
  }

  /** One reads, another commits: the first still reads the same, and must not write. */
  async #becomeStale(): Promise<void> {
    const [writer, reader] = this.#connections;
    await reader.run("begin");
    const dumps = this.#dumps(false);
    const before = await this.#describe(reader, dumps);
    const faults = this.faults;
    await this.#statement(STALE, writer);
    assert.equal(await this.#describe(reader, dumps), before, "A transaction reads one snapshot");
    const error = await reader.run("insert into log (what) values ('late')").catch((e) => e);
    if (faults === this.faults) assert.equal(error.resultCode, BUSY_SNAPSHOT);
    await reader.run("rollback");
  }

  async #setCacheSize(): Promise<void> {
    const connection = this.#inTransaction ?? this.#connections[this.#chance.below(2)];
    await connection.all(`pragma cache_size = ${this.#cacheSize()}`);
  }

  /** So few pages that most transactions write some of them before they end, or enough for all. */
  #cacheSize(): number {
    return this.#chance.is(0.7) ? 4 : 2000;
  }

  async #note(what: string, run: () => Promise<void>): Promise<void> {
    this.log.push(what);
    await run();
  }

  async #compare(connection: Connection, isWhole = this.#chance.is(0.1)): Promise<void> {
    const dumps = this.#dumps(isWhole);
    const expected = dumps.map((sql) => show(this.#oracle.rows(sql))).join("\n");
    assert.equal(await this.#describe(connection, dumps), expected, "Contents");
    if (this.#inTransaction === undefined) {
      this.#committed = expected;
      this.#committedDumps = dumps;
    }
    if (!isWhole) return;
    assert.deepEqual(await this.#rows(connection, "pragma integrity_check"), [["ok"]]);
  }

  /** What is in the database. */
  async #describe(connection: Connection, dumps: readonly string[]): Promise<string> {
    const parts = [];
    for (const sql of dumps) parts.push(show(await this.#rows(connection, sql)));
    return parts.join("\n");
  }

  /** Statements that tell all. While the databases agree they have the same tables. */
  #dumps(isWhole: boolean): string[] {
    const schema = "select type, name, tbl_name, sql from sqlite_schema order by 1, 2";
    const tables = this.#oracle.rows(
      "select name from sqlite_schema where type = 'table' and name not glob 'sqlite_*' and name not glob 'f_*'",
    );
    return [
      schema,
      "pragma user_version",
      ...tables.map(([name]) => this.#dump(String(name), isWhole)),
    ];
  }

  #dump(table: string, isWhole: boolean): string {
    const columns = this.#oracle.rows(
      `select name from pragma_table_xinfo('${table}') where hidden <> 1`,
    );
    const values = columns.map(([name]) => {
      // the end of a long value is behind all of its pages
      const value = isWhole ? `hex(${name})` : `length(${name}) || hex(substr(${name}, -9))`;
      return `case when typeof(${name}) in ('text', 'blob') then substr(typeof(${name}), 1, 1) || ${value}
        else quote(${name}) end`;
    });
    return `select ${values.join(" || ',' || ")} from ${table} order by 1`;
  }

  async #rows(connection: Connection, sql: string): Promise<unknown[][]> {
    return await connection.all(sql, [], "array");
  }

  async #changes(connection: Connection, what: string): Promise<number> {
    return Number((await this.#rows(connection, `select ${what}`))[0][0]);
  }

  async #reopen(storage: TestStorage): Promise<void> {
    await this.#close();
    this.#bench.storage = storage;
    await this.#open(false);
  }

  async #open(isNew: boolean): Promise<void> {
    this.#storage = this.#bench.storage;
    this.#storage.isVolatile = this.#chance.is(0.5);
    this.#replica = await this.#bench.open({ isNew, bytesMax: this.#bytesMax });
    const parts = {
      source: new FaultySource(new ReplicaSource(this.#replica), this.#faults),
      engine: await loadEngine({ build: this.#options.build }),
      writers: new WriterLock(),
      setup: [
        ...SETUP,
        `pragma cache_size = ${this.#cacheSize()}`,
        ...(isNew ? [] : ["pragma foreign_keys = on"]),
      ],
    };
    this.#connections = [await Connection.open(parts), await Connection.open(parts)];
    if (isNew) await this.#connections[1].run("pragma foreign_keys = on");
  }

  async #close(): Promise<void> {
    for (const connection of this.#connections) await connection.close();
    await this.#replica.close();
  }
}

/** Values as text, the same for both engines. */
function show(value: unknown): string {
  return JSON.stringify(value, (_, part) => {
    if (typeof part === "bigint") return String(part);
    if (typeof part === "number") return String(part);
    if (part instanceof Uint8Array) return part.length > 50 ? `${part.length} bytes` : part.toHex();
    if (typeof part !== "string") return part;
    // where SQLite's own text ends for Deno
    const text = part.split("\0", 1)[0];
    return text.length > 50 ? `${text.length} ${hash(text)}` : text;
  });
}

function hash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}

function normal(outcome: Outcome): string {
  return show(outcome);
}
