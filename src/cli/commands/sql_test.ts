import assert from "node:assert/strict";
import { startServer } from "../../server/mod.ts";
import { graft } from "../_testing.ts";

/** Runs a test against a server with an empty volume. */
async function withVolume(
  run: (sql: (...args: string[]) => ReturnType<typeof graft>, vid: string) => Promise<void>,
): Promise<void> {
  await using server = await startServer({
    listen: ["127.0.0.1:0"],
    log: "memory:",
    objects: "memory:",
  });
  const env = { GRAFT_SERVER: server.urls[0] };
  const created = await graft(["volume", "create", "--json"], env);
  const { vid } = JSON.parse(created.stdout);
  await run((...args) => graft(["sql", ...args], env), vid);
}

Deno.test("statements that are given run, and are on the server when the command ends", () =>
  withVolume(async (sql, vid) => {
    const made = await sql(
      vid,
      "create table t (id integer primary key, n); insert into t (n) values (7), (8)",
    );
    assert.deepEqual([made.code, made.stdout, made.stderr], [0, "", "2 rows changed\n"]);
    assert.equal((await sql(vid, "select * from t")).stdout, "id  n\n 1  7\n 2  8\n");
    assert.equal(
      (await sql(vid, "select * from t", "--json")).stdout,
      '{"id":1,"n":7}\n{"id":2,"n":8}\n',
    );
    assert.equal((await sql(vid, "select n from t", "--csv")).stdout, "n\n7\n8\n");
    const half = await sql(vid, "insert into t (n) values (9); select * from nowhere");
    assert.deepEqual([half.code, half.stderr.split("\n")[0]], [1, "1 row changed"]);
    assert.equal((await sql(vid, "select n from t where n = 9", "--csv")).stdout, "n\n9\n");
    // what was, before the table came to be
    const past = await sql(`${vid}@1`, "select * from t");
    assert.deepEqual([past.code, /no such table/.test(past.stderr)], [1, true]);
    const write = await sql(`${vid}@2`, "delete from t");
    assert.equal(write.code, 3);
  }));

Deno.test("what cannot be is refused, each with its exit code", () =>
  withVolume(async (sql, vid) => {
    const codes = [
      [await sql("nonsense", "select 1"), 2],
      [await sql(`${vid}@once`, "select 1"), 2],
      [await sql(vid, "select 1", "--csv", "--json"), 2],
      [await sql(vid, "selec 1"), 1],
      [await sql(vid, "begin; create table lost (x)"), 1],
      [await sql("GonwTRj2SohJzYLLjD9nSq", "select 1"), 4],
      [await sql(`${vid}@99`, "select 1"), 4],
      [await sql(vid, "select 1", "--server", "http://127.0.0.1:1"), 5],
    ] as const;
    assert.deepEqual(codes.map(([{ code }]) => code), codes.map(([, code]) => code));
    for (const [{ stdout, stderr }] of codes) {
      assert.equal(stdout, "");
      assert.match(stderr, /error: /);
    }
  }));
