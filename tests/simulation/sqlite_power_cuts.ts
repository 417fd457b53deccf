// A replica below a database, whose storage loses power at one of its writes.

import assert from "node:assert/strict";
import { Bench, VID } from "../../client/replica/_testing.ts";
import type { TestStorage } from "../../client/replica/local/_testing_storage.ts";
import { Connection } from "../../client/sqlite/connection.ts";
import { type LoadedEngine, loadEngine } from "../../client/sqlite/engine/load_engine.ts";
import { ReplicaSource } from "../../client/sqlite/replica_source.ts";
import { WriterLock } from "../../client/sqlite/vfs/writer_lock.ts";

/** Transactions that touch many pages: each changes every table, or none. */
const TRANSACTIONS: readonly string[] = [
  `create table t (id integer primary key, v text unique, b blob); create table n (count int);
   insert into n values (0); create virtual table f using fts5(body)`,
  `insert into t (v, b) with recursive i(n) as (select 1 union all select n + 1 from i where n < 120)
   select 'v' || n, zeroblob(n * 70) from i; insert into f values ('one two three')`,
  `update t set v = v || 'x', b = zeroblob(3000) where id % 3 = 0; insert into f values ('two')`,
  `savepoint a; delete from t; rollback to a; delete from t where id % 5 = 1; release a`,
  `create index t_b on t(length(b)); insert into t (v) values ('last')`,
  `delete from t where id > 20; update f set body = 'four'`,
  `alter table t add column more int default 7; insert into t (v, more) values ('more', 8)`,
];

/** What a run came to. */
export interface PowerCut {
  /** How many writes the storage had seen when it lost power. */
  readonly writes: number;
  /** How many transactions had been promised. */
  readonly promised: number;
}

/** One machine, which stops when its storage has seen so many writes. */
export class SqlitePowerCuts {
  readonly #engine: LoadedEngine;
  readonly #hasServer: boolean;
  /** What is there after so many transactions. */
  readonly #expectations = new Map<number, unknown>();

  private constructor(engine: LoadedEngine, hasServer: boolean) {
    this.#engine = engine;
    this.#hasServer = hasServer;
  }

  /** @param hasServer Whether what is committed is pushed meanwhile, and read back. */
  static async create(hasServer: boolean): Promise<SqlitePowerCuts> {
    return new SqlitePowerCuts(await loadEngine(), hasServer);
  }

  /**
   * Runs until the storage has seen `writes` writes, loses power, and looks what is left.
   *
   * @param keepsPending Whether the write survives that was not promised.
   * @returns Undefined where all was over before.
   */
  async cut(writes: number, keepsPending: boolean): Promise<PowerCut | undefined> {
    const bench = new Bench();
    const { promise: stopped, resolve: stop } = Promise.withResolvers<"stopped">();
    const { storage } = bench;
    storage.delay = () => {
      if (storage.batches < writes) return Promise.resolve();
      stop("stopped");
      return new Promise(() => {});
    };
    let promised = 0;
    const working = this.#work(bench, () => promised++);
    const outcome = await Promise.race([stopped, working]);
    if (outcome !== "stopped") return undefined;
    await this.#examine(bench, storage.crash((pending) => keepsPending ? pending : 0), promised);
    return { writes, promised };
  }

  async #work(bench: Bench, onCommit: () => void): Promise<"done"> {
    const replica = await bench.open({ isNew: true });
    const connection = await this.#connect(new ReplicaSource(replica));
    for (const transaction of TRANSACTIONS) {
      const count = TRANSACTIONS.indexOf(transaction) + 1;
      await connection.script(`begin; ${transaction}; update n set count = ${count}; commit`);
      onCommit();
      if (this.#hasServer && count % 2 === 0) await replica.sync();
    }
    await connection.close();
    await replica.close();
    return "done";
  }

  /** All transactions that were promised are there, and perhaps one more; none in part. */
  async #examine(bench: Bench, storage: TestStorage, promised: number): Promise<void> {
    const after = new Bench(bench.server, storage);
    const isNew = bench.server.line(VID).length === 0;
    const replica = await after.open({ isNew });
    const connection = await this.#connect(new ReplicaSource(replica));
    const count = await this.#count(connection);
    assert.ok(count === promised || count === promised + 1, `${count} instead of ${promised}`);
    const expected = this.#expectations.get(count) ?? await this.#expect(count);
    assert.deepEqual(await describe(connection), expected);
    // and it goes on from there
    if (count > 0) {
      await connection.script("insert into n values (99); delete from n where count = 99");
    }
    await connection.close();
    await replica.close();
  }

  async #count(connection: Connection): Promise<number> {
    const [{ tables }] = await connection.all("select count(*) as tables from sqlite_schema");
    return tables === 0 ? 0 : Number((await connection.all("select count from n"))[0].count);
  }

  async #expect(count: number): Promise<unknown> {
    const replica = await new Bench().open({ isNew: true });
    const connection = await this.#connect(new ReplicaSource(replica));
    for (const transaction of TRANSACTIONS.slice(0, count)) await connection.script(transaction);
    if (count > 0) await connection.run("update n set count = ?", [count]);
    const expected = await describe(connection);
    this.#expectations.set(count, expected);
    await connection.close();
    await replica.close();
    return expected;
  }

  async #connect(source: ReplicaSource): Promise<Connection> {
    const setup = ["pragma journal_mode = memory", "pragma cache_size = 5"];
    return await Connection.open({
      source,
      engine: this.#engine,
      writers: new WriterLock(),
      setup,
    });
  }
}

async function describe(connection: Connection): Promise<unknown[]> {
  assert.deepEqual(await connection.all("pragma integrity_check"), [{ integrity_check: "ok" }]);
  const tables = await connection.all(
    "select name from sqlite_schema where type = 'table' and name not glob 'f_*' order by name",
  );
  const contents = [];
  for (const { name } of tables) {
    contents.push(await connection.all(`select * from ${name} order by 1`));
  }
  return [
    await connection.all("select type, name, sql from sqlite_schema order by 1, 2"),
    contents,
  ];
}
