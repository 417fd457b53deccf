// What fails below SQLite is told, harms nothing, and can be repeated.

import assert from "node:assert/strict";
import type { Connection } from "../../client/sqlite/connection.ts";
import { BUILDS } from "../../client/sqlite/engine/_testing.ts";
import { SqliteError } from "../../client/sqlite/engine/sqlite_error.ts";
import { connect, page, TestSource, unreachable } from "../../client/sqlite/vfs/_testing.ts";
import { WriterLock } from "../../client/sqlite/vfs/writer_lock.ts";
import { GraftError } from "../../src/core/errors.ts";

const FILL = `create table t (id integer primary key, v text, b blob); create index t_v on t(v);
  insert into t with recursive i(n) as (select 1 union all select n + 1 from i where n < 500)
  select n, 'v' || n, zeroblob(500) from i`;

async function failure(task: Promise<unknown>): Promise<SqliteError> {
  const error = await task.then(() => undefined, (error) => error);
  assert.ok(error instanceof SqliteError, `It came to ${error}`);
  return error;
}

async function count(connection: Connection): Promise<unknown> {
  return (await connection.all("select count(*) as n from t"))[0].n;
}

async function assertSound(connection: Connection, rows: number): Promise<void> {
  assert.equal(await count(connection), rows);
  assert.deepEqual(await connection.all("pragma integrity_check"), [{ integrity_check: "ok" }]);
}

/** From here on every page has to be waited for, after `left` of them in vain. */
function cutOff(source: TestSource, left = 0): void {
  source.isLate = () => true;
  source.onRead = () => left-- > 0 ? Promise.resolve() : Promise.reject(unreachable());
}

/** A page that does not come before the caller gives up. */
function hang(abort: AbortController): Promise<void> {
  abort.abort();
  return new Promise(() => {});
}

function reconnect(source: TestSource): void {
  source.onRead = () => Promise.resolve();
}

for (const build of BUILDS) {
  Deno.test(`${build}: a page that cannot be fetched is told with its cause`, async () => {
    const source = new TestSource();
    await (await connect(build, source)).script(FILL);
    const connection = await connect(build, source);
    await count(connection);
    cutOff(source);
    connection.forgetCache();
    const error = await failure(connection.all("select sum(length(b)) from t"));
    assert.equal(error.code, "unavailable");
    assert.equal(error.resultName, "SQLITE_IOERR_READ");
    assert.ok(error.cause instanceof GraftError && error.cause.code === "unavailable");
    assert.match(error.message, /the connection failed/);
    assert.equal(error.hint, "Try again later");
    assert.equal(error.isRolledBack, false);
    reconnect(source);
    await assertSound(connection, 500);
    await connection.close();
    assert.equal(source.open, 1);
  });

  Deno.test(`${build}: a failure within a transaction rolls it back, wherever it comes`, async () => {
    const source = new TestSource();
    const connection = await connect(build, source);
    await connection.script(FILL);
    await connection.all("pragma cache_size = 5");
    const before = source.newest;
    let failures = 0;
    for (let left = 0; left < 40; left += 3) {
      await connection.run("begin immediate");
      await connection.run("insert into t (v) values ('first')");
      cutOff(source, left);
      const outcome = await connection.run("update t set v = v || 'x', b = zeroblob(900)").catch(
        (error) => error,
      );
      reconnect(source);
      if (outcome instanceof SqliteError) {
        failures++;
        assert.equal(outcome.code, "unavailable");
        assert.ok(outcome.isRolledBack);
        assert.match(outcome.hint ?? "", /rolled back/);
      } else await connection.run("rollback");
      assert.equal(connection.isInTransaction, false);
      await assertSound(connection, 500);
    }
    assert.ok(failures > 5, `${failures} failures`);
    assert.equal(source.newest, before);
    assert.equal((await connection.run("update t set v = 'new'")).rowsAffected, 500);
    await connection.close();
  });

  Deno.test(`${build}: where SQLite makes light of a failure nothing is committed`, async () => {
    const source = new TestSource();
    const first = await connect(build, source);
    await first.script(`${FILL}; analyze`);
    const root = "select rootpage as n from sqlite_schema where name = 'sqlite_stat1'";
    const [{ n: statistics }] = await first.all(root);
    // its setup would have it read the schema
    const connection = await connect(build, source, { setup: [] });
    await connection.run("begin immediate");
    source.isLate = () => true;
    source.onRead = (i) => i === statistics ? Promise.reject(unreachable()) : Promise.resolve();
    const before = source.newest;
    const error = await failure(connection.run("insert into t (v) values ('alone')"));
    assert.equal(error.code, "unavailable");
    reconnect(source);
    assert.equal(source.newest, before);
    assert.equal(connection.isInTransaction, !error.isRolledBack);
    await connection.close();
    await assertSound(first, 500);
  });

  Deno.test(`${build}: a commit that is refused is undone`, async () => {
    const source = new TestSource();
    const connection = await connect(build, source);
    await connection.script(FILL);
    source.onCommit = () =>
      Promise.reject(new GraftError("unavailable", "Cannot write to the storage: it is full"));
    const alone = await failure(connection.run("delete from t where id > 10"));
    assert.equal(alone.resultName, "SQLITE_IOERR_COMMIT_ATOMIC");
    assert.match(alone.message, /it is full/);
    await connection.run("begin");
    await connection.run("delete from t where id > 20");
    const commit = await failure(connection.run("commit"));
    assert.ok(commit.isRolledBack);
    await connection.run("savepoint s");
    await connection.run("delete from t where id > 30");
    const release = await failure(connection.run("release s"));
    assert.ok(release.isRolledBack, "release tells that everything was rolled back");
    assert.equal(connection.isInTransaction, false);
    const vacuum = await failure(connection.run("vacuum"));
    assert.equal(vacuum.code, "unavailable");
    source.onCommit = () => Promise.resolve();
    await assertSound(connection, 500);
    assert.equal((await connection.run("delete from t where id > 10")).rowsAffected, 490);
    await assertSound(connection, 10);
    await connection.close();
  });

  Deno.test(`${build}: a failed read leaves FTS5 nothing wrong to go on with`, async () => {
    for (const isAborted of [false, true]) {
      for (let left = 0; left < 12; left++) {
        const source = new TestSource();
        const connection = await connect(build, source);
        await connection.script(`create virtual table f using fts5(body);
          insert into f with recursive i(n) as (select 1 union all select n + 1 from i where n < 40)
          select 'word' || n || ' common ' || hex(n * n) from i`);
        connection.forgetCache();
        const abort = new AbortController();
        cutOff(source, left);
        let rest = left;
        if (isAborted) source.onRead = () => rest-- > 0 ? Promise.resolve() : hang(abort);
        const write = () =>
          connection.run("insert or replace into f (rowid, body) values (3, 'x y')");
        await connection.abortable(abort.signal, write).catch((error) => error);
        reconnect(source);
        await connection.run("update f set body = 'fig' where rowid = 4");
        await connection.close();
        const fresh = await connect(build, source);
        assert.deepEqual(await fresh.all("pragma integrity_check"), [{ integrity_check: "ok" }]);
        await fresh.close();
      }
    }
  });

  Deno.test(`${build}: a refused commit is told though its rows were not read to the end`, async () => {
    const source = new TestSource();
    const connection = await connect(build, source);
    await connection.script(FILL);
    source.onCommit = () => Promise.reject(unreachable());
    const broken = (async () => {
      for await (const _ of connection.iterate("delete from t returning id")) break;
    })();
    assert.equal((await failure(broken)).code, "unavailable");
    source.onCommit = () => Promise.resolve();
    await assertSound(connection, 500);
    await connection.close();
  });

  Deno.test(`${build}: what others commit while pages are spilled is a conflict at the end`, async () => {
    const source = new TestSource();
    const connection = await connect(build, source);
    await connection.script(FILL);
    await connection.all("pragma cache_size = 5");
    await connection.run("begin immediate");
    await connection.run("insert into t (v) values ('first')");
    // somebody else's commit, which the writers' lock does not see
    const pageCount = (await connection.all("pragma page_count"))[0].page_count as number;
    source.write({ pages: new Map([[pageCount + 1, page(0)]]), pageCount: pageCount + 1 });
    await connection.run("update t set v = v || 'x', b = zeroblob(900)");
    const error = await failure(connection.run("commit"));
    assert.equal(error.code, "conflict");
    assert.ok(error.isRolledBack);
    assert.equal(await count(connection), 500);
    await connection.close();
  });

  Deno.test(`${build}: a stale snapshot cannot be written to, and one writes at a time`, async () => {
    const source = new TestSource();
    const writers = new WriterLock();
    const [one, two] = [
      await connect(build, source, { writers }),
      await connect(build, source, { writers }),
    ];
    await one.script(FILL);
    await two.run("begin");
    assert.equal(await count(two), 500);
    await one.run("begin immediate");
    const busy = await failure(two.run("delete from t"));
    assert.deepEqual([busy.code, busy.resultName], ["conflict", "SQLITE_BUSY"]);
    assert.equal(busy.isRolledBack, false);
    await one.run("delete from t where id > 400");
    await one.run("commit");
    assert.equal(await count(two), 500);
    const stale = await failure(two.run("delete from t"));
    assert.deepEqual([stale.code, stale.resultName], ["conflict", "SQLITE_BUSY_SNAPSHOT"]);
    assert.match(stale.hint ?? "", /anew/);
    await two.run("rollback");
    assert.equal((await two.run("delete from t")).rowsAffected, 400);
    await one.close();
    await two.close();
  });

  Deno.test(`${build}: a statement that waits for a page can be given up`, async () => {
    const source = new TestSource();
    const first = await connect(build, source);
    await first.script(FILL);
    const connection = await connect(build, source);
    await connection.run("begin");
    await count(connection);
    connection.forgetCache();
    const waiting = Promise.withResolvers<void>();
    source.isLate = () => true;
    source.onRead = () => {
      waiting.resolve();
      return new Promise(() => {});
    };
    const abort = new AbortController();
    const read = connection.abortable(
      abort.signal,
      () => connection.all("select sum(length(b)) from t"),
    );
    await waiting.promise;
    abort.abort(new Error("enough"));
    const error = await failure(read);
    assert.deepEqual([error.code, error.resultName], ["aborted", "SQLITE_INTERRUPT"]);
    assert.equal(((error.cause as Error).cause as Error).message, "enough");
    assert.ok(connection.isInTransaction, "what only reads goes on");
    reconnect(source);
    await connection.run("rollback");
    await assertSound(connection, 500);
    await connection.close();
    await first.close();
  });

  Deno.test(`${build}: an aborted signal runs nothing more`, async () => {
    const connection = await connect(build);
    const gone = connection.abortable(
      AbortSignal.abort(),
      () => connection.run("create table t (a)"),
    );
    await assert.rejects(gone, { code: "aborted" });
    const abort = new AbortController();
    const halfway = connection.abortable(abort.signal, async () => {
      await connection.run("create table a (a)");
      abort.abort();
      await connection.run("create table b (a)");
    });
    await assert.rejects(halfway, { code: "aborted" });
    const names = await connection.all("select name from sqlite_schema", [], "array");
    assert.deepEqual(names, [["a"]]);
    await connection.close();
  });

  Deno.test(`${build}: an engine that breaks down is replaced, and commits nothing`, async () => {
    const source = new TestSource();
    const connection = await connect(build, source);
    await connection.script(FILL);
    await connection.run("begin immediate");
    await connection.run("delete from t");
    await assert.rejects(connection.run(`select ${"1+".repeat(200_000)}1`), { code: "internal" });
    assert.equal(connection.isInTransaction, false);
    connection.interrupt();
    cutOff(source);
    assert.equal((await failure(count(connection))).code, "unavailable");
    reconnect(source);
    await assertSound(connection, 500);
    assert.equal((await connection.run("delete from t where id > 100")).rowsAffected, 400);
    await connection.close();
    assert.equal(source.open, 0);
  });

  Deno.test(`${build}: a connection that cannot be opened holds nothing`, async () => {
    const source = new TestSource();
    await (await connect(build, source)).close();
    await assert.rejects(connect(build, source, { setup: ["nonsense"] }), { code: "invalid" });
    const filled = await connect(build, source);
    await filled.script(FILL);
    await filled.close();
    cutOff(source);
    await assert.rejects(connect(build, source), { code: "unavailable" });
    assert.equal(source.open, 0);
  });
}
