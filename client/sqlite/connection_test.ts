import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { Bench } from "../replica/_testing.ts";
import { BUILDS } from "./engine/_testing.ts";
import { graftPragmas, VERSION } from "./graft_pragmas.ts";
import { ReplicaSource } from "./replica_source.ts";
import { STATEMENTS_MAX } from "./statement_cache.ts";
import { connect, TestSource, unreachable, VID } from "./vfs/_testing.ts";
import config from "../../deno.json" with { type: "json" };

for (const build of BUILDS) {
  Deno.test(`${build}: one statement at a time is run, and all of a text as a script`, async () => {
    const connection = await connect(build);
    await connection.script(
      "create table t (a); -- one\n insert into t values (1);; insert into t values (2)",
    );
    assert.deepEqual(await connection.all("select a from t; -- that is all\n /* really */ ;"), [
      { a: 1 },
      { a: 2 },
    ]);
    for (
      const sql of ["select 1; select 2", "select 1; nonsense", "select 1; pragma page_size = 1"]
    ) {
      await assert.rejects(connection.all(sql), { code: "invalid", message: /several statements/ });
    }
    for (const sql of ["", " ", "-- nothing", ";"]) {
      await assert.rejects(connection.all(sql), { code: "invalid", message: /holds none/ });
    }
    await assert.rejects(connection.script("select 1; \0"), { code: "invalid" });
    await assert.rejects(connection.script("select 1; nonsense"), { code: "invalid" });
    await connection.close();
  });

  Deno.test(`${build}: statements are kept prepared, but not for ever`, async () => {
    const connection = await connect(build);
    await connection.script("create table t (a)");
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < STATEMENTS_MAX + 20; i++) {
        assert.deepEqual(await connection.all(`select ${i} as i, count(*) as n from t`), [{
          i,
          n: 0,
        }]);
      }
    }
    await connection.close();
  });

  Deno.test(`${build}: the same volume is not opened twice, nor another one`, async () => {
    const connection = await connect(build);
    for (const name of [VID, "other.sqlite"]) {
      await assert.rejects(connection.run(`attach '${name}' as other`), {
        code: "invalid",
        resultName: "SQLITE_CANTOPEN",
      });
    }
    await connection.script("attach ':memory:' as m; create table m.t (a); attach '' as x");
    await connection.script("begin; create table x.t (a); create table here (a); commit");
    assert.deepEqual(await connection.all("pragma integrity_check"), [{ integrity_check: "ok" }]);
    await connection.close();
  });

  Deno.test(`${build}: pages keep their size, also through VACUUM`, async () => {
    const source = new TestSource();
    const connection = await connect(build, source);
    await connection.script("create table t (a); insert into t values (1)");
    await assert.rejects(connection.run("pragma page_size = 8192"), { code: "invalid" });
    await assert.rejects(connection.run("pragma main.page_size = 512"), { code: "invalid" });
    await connection.script("pragma page_size = 4096; vacuum; attach ':memory:' as m");
    for (const size of [512, 1024, 8192, 65536]) {
      // what a temporary database is told counts for the next VACUUM of any
      for (const schema of ["temp", "m"]) {
        await connection.all(`pragma ${schema}.page_size = ${size}`);
        await assert.rejects(connection.run("vacuum"), { code: "invalid", message: /page size/ });
      }
    }
    assert.deepEqual(await connection.all("pragma page_size"), [{ page_size: 4096 }]);
    assert.deepEqual(await connection.all("pragma integrity_check"), [{ integrity_check: "ok" }]);
    await connection.close();
  });

  Deno.test(`${build}: journals and locks stay as they are`, async () => {
    const connection = await connect(build);
    for (const mode of ["delete", "truncate", "persist", "memory", "del", "nonsense"]) {
      assert.deepEqual(await connection.all(`pragma journal_mode = ${mode}`, [], "array"), [[
        "memory",
      ]]);
    }
    for (const pragma of ["journal_mode = wal", "journal_mode = OFF", "journal_mode = o"]) {
      await assert.rejects(connection.run(`pragma ${pragma}`), {
        code: "invalid",
        message: /journal/,
      });
    }
    await assert.rejects(connection.run("pragma locking_mode = Exclusive"), { code: "invalid" });
    assert.deepEqual(await connection.all("pragma locking_mode", [], "array"), [["normal"]]);
    assert.deepEqual(await connection.all("pragma busy_timeout = 100", [], "array"), [["0"]]);
    await assert.rejects(connection.run("pragma graft_nonsense"), {
      code: "invalid",
      message: /graft_nonsense/,
      hint: /graft_status/,
    });
    await connection.close();
  });

  Deno.test(`${build}: the pragmas of Graft tell of the replica`, async () => {
    const bench = new Bench();
    const replica = await bench.open({ isNew: true });
    const connection = await connect(build, new ReplicaSource(replica), {
      pragma: graftPragmas(replica),
    });
    const ask = async (name: string) =>
      (await connection.all(`pragma ${name}`, [], "array")).flat();
    bench.remote.trip = () => Promise.reject(unreachable());
    assert.deepEqual(await ask("graft_snapshot"), []);
    assert.match(String(await ask("graft_status")), /^Current snapshot: None$/m);
    await connection.script("create table t (a); insert into t values (1)");
    assert.deepEqual(await ask("graft_snapshot"), ["Snapshot[2;2]"]);
    bench.remote.trip = () => Promise.resolve();
    assert.deepEqual(await ask("graft_pull"), []);
    assert.deepEqual(await ask("graft_snapshot"), ["Snapshot[2;2][2r2]"]);
    assert.deepEqual(await ask("GRAFT_STATUS"), [
      `Graft Status\nClient ID: ${replica.cid}\nVolume ID: ${VID}\n` +
      "Current snapshot: Snapshot[2;2][2r2]\nAutosync: true\nVolume status: Ok\n",
    ]);
    const pages = "pageno   | lsn    | state\n1        | 2      | available\n" +
      "2        | 2      | available\n";
    assert.deepEqual(await ask("graft_pages"), [pages]);
    assert.deepEqual(await ask("graft_sync_errors"), ["Recent sync errors:\n"]);
    assert.deepEqual(await ask("graft_version"), [`Graft Version: ${config.version}\n`]);
    assert.equal(VERSION, config.version);
    assert.deepEqual(await ask("graft_sync = true"), []);
    for (const pragma of ["graft_sync", "graft_sync = false", "graft_sync = nonsense"]) {
      await assert.rejects(ask(pragma), { code: "invalid" });
    }
    bench.remote.trip = () => Promise.reject(unreachable());
    await connection.run("insert into t values (2)");
    assert.deepEqual(await ask("graft_snapshot"), ["Snapshot[3;2][2r2]"]);
    await connection.run("begin");
    await assert.rejects(ask("graft_reset"), { code: "invalid", message: /transaction is open/ });
    await connection.run("rollback");
    assert.deepEqual(await ask("graft_reset"), []);
    bench.remote.trip = () => Promise.resolve();
    assert.deepEqual(await connection.all("select * from t"), [{ a: 1 }]);
    await connection.close();
    await replica.close();
  });

  Deno.test(`${build}: pages that are elsewhere are pending, and errors of the server are told`, async () => {
    const bench = new Bench();
    await bench.commit({ 1: 0, 2: 2, 3: 3 });
    const replica = await bench.open();
    const parts = { pragma: graftPragmas(replica), setup: [] };
    const connection = await connect(build, new ReplicaSource(replica), parts);
    await replica.snapshot().read(2);
    await setImmediate();
    const [[pages]] = await connection.all("pragma graft_pages", [], "array");
    assert.match(String(pages), /^2 .*available$/m);
    assert.match(String(pages), /^3 +\| 1 +\| pending$/m);
    bench.remote.trip = () => Promise.reject(new Error("the server is on fire"));
    await assert.rejects(connection.run("pragma graft_pull"), { message: /on fire/ });
    const [[errors]] = await connection.all("pragma graft_sync_errors", [], "array");
    assert.match(String(errors), /^Recent sync errors:\n.*on fire/);
    await connection.close();
    await replica.close();
  });
}
