import assert from "node:assert/strict";
import { openDatabase } from "./open_database.ts";
import { otherTurns } from "./_turns_io.ts";
import type { Database } from "./database.ts";

/** Nothing listens there, and nothing is pushed: all pages are here. */
const NOWHERE = "http://127.0.0.1:9";

/** Runs statements one after the other until a timer has fired that was due long before. */
async function untilTimerFires(run: () => Promise<unknown>): Promise<void> {
  let hasFired = false;
  setTimeout(() => hasFired = true, 1);
  // some seconds of work, where nobody else gets a turn
  for (let i = 0; i < 50_000 && !hasFired; i++) await run();
  assert.ok(hasFired, "no timer has fired");
}

async function withDatabase(use: (db: Database) => Promise<void>): Promise<void> {
  const db = await openDatabase(NOWHERE);
  try {
    await use(db);
  } finally {
    await db.close();
  }
}

Deno.test("timers fire while one statement follows the other", () =>
  withDatabase(async (db) => {
    await db.script("create table t (id integer primary key, n); insert into t values (1, 1)");
    await untilTimerFires(() => db.query("select n from t where id = 1"));
    await untilTimerFires(() => db.execute("update t set n = n where id = 2"));
    await db.transaction((tx) => untilTimerFires(() => tx.values("select n from t")));
  }));

Deno.test("timers fire between the rows of one statement", () =>
  withDatabase(async (db) => {
    let hasFired = false;
    setTimeout(() => hasFired = true, 1);
    const rows = db.iterate<{ n: number }>(
      "with recursive i(n) as (select 1 union all select n + 1 from i limit 3000000) select n from i",
    );
    for await (const _ of rows) if (hasFired) break;
    assert.ok(hasFired, "no timer has fired");
  }));

Deno.test("requests are answered while one statement follows the other", () =>
  withDatabase(async (db) => {
    await db.script("create table t (id integer primary key, n); insert into t values (1, 1)");
    await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
      return new Response("here");
    });
    let isAnswered = false;
    const answering = fetch(`http://127.0.0.1:${server.addr.port}`)
      .then((response) => response.text())
      .finally(() => isAnswered = true);
    let pauses = 0;
    while (!isAnswered) {
      const pause = otherTurns();
      if (pause !== undefined) pauses++;
      await pause;
      await db.query("select n from t where id = 1");
    }
    assert.equal(await answering, "here");
    // a few, for each message between the two; with one turn each it were more than a hundred
    assert.ok(pauses < 40, `it took ${pauses} pauses`);
  }));
