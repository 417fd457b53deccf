// A database of the real world, imported and queried by clients that have nothing of it: the answers are those of
// `node:sqlite` on the file.

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Fetch } from "../../client/mod.ts";
import type { Database } from "../../client/sqlite/database.ts";
import { openDatabase } from "../../client/sqlite/open_database.ts";
import { graft } from "../../src/cli/_testing.ts";
import { startServer } from "../../src/server/mod.ts";
import { makeCities } from "./_cities.ts";

/** What is asked, and what the answer may take of a client that has nothing. */
interface Question {
  readonly sql: string;
  readonly parameters: readonly (string | number)[];
  /** Pages of a hundred that the database has. */
  readonly percentMax: number;
  /** Opening the database is some of them. */
  readonly requestsMax: number;
}

const QUESTIONS: Readonly<Record<string, Question>> = {
  "by name": {
    sql: `select place.* from place_name join place on place.id = place_name.rowid
      where place_name match ? order by place.id`,
    parameters: ["san* AND francisco"],
    percentMax: 5,
    requestsMax: 150,
  },
  "by country, in a range of names": {
    sql: "select * from place where country = ? and name >= ? and name < ? order by name, id",
    parameters: ["IS", "H", "L"],
    percentMax: 1,
    requestsMax: 20,
  },
  "nearby": {
    sql: `select name, country, (lat - ?1) * (lat - ?1) + (lng - ?2) * (lng - ?2) as distance
      from place where lat between ?1 - 0.1 and ?1 + 0.1 and lng between ?2 - 0.1 and ?2 + 0.1
      order by distance, id limit 10`,
    parameters: [59.91, 10.75],
    percentMax: 1,
    requestsMax: 20,
  },
  "a country's middle": {
    sql: "select count(*) as places, avg(lat) as lat, avg(lng) as lng from place where country = ?",
    parameters: ["LU"],
    percentMax: 1,
    requestsMax: 20,
  },
  "all countries": {
    sql: `select country, count(*) as places from place group by country
      order by places desc, country limit 20`,
    parameters: [],
    percentMax: 22,
    requestsMax: 50,
  },
};

function expectedOf(path: string, { sql, parameters }: Question): unknown[] {
  using database = new DatabaseSync(path, { readOnly: true });
  return database.prepare(sql).all(...parameters).map((row) => ({ ...row }));
}

Deno.test("the places of the world are queried from anywhere", async (t) => {
  await using server = await startServer({
    listen: ["127.0.0.1:0"],
    log: "memory:",
    objects: "memory:",
  });
  const [url] = server.urls;
  const folder = await Deno.makeTempDir({ prefix: "graft-cities-" });
  const opened: Database[] = [];
  let requests = 0;
  const counting: Fetch = (input, init) => {
    requests++;
    return fetch(input, init);
  };
  const open = async (vid: string) => {
    const db = await openDatabase(url, vid, { fetch: counting });
    opened.push(db);
    return db;
  };
  try {
    const path = `${folder}/cities.db`;
    const places = await makeCities(path);
    const { code, stdout, stderr } = await graft(["import", path], { GRAFT_SERVER: url });
    assert.equal(code, 0, stderr);
    const vid = stdout.trim();

    for (const [name, question] of Object.entries(QUESTIONS)) {
      await t.step(name, async () => {
        const expected = expectedOf(path, question);
        assert.ok(expected.length > 0);
        const before = requests;
        const db = await open(vid);
        assert.deepEqual(await db.query(question.sql, question.parameters), expected);
        const { pages, pageCount } = db.status();
        const percent = 100 * (pages.fetched + pages.prefetched) / pageCount;
        assert.ok(percent <= question.percentMax, `${percent} % of ${pageCount} pages`);
        assert.ok(requests - before <= question.requestsMax, `${requests - before} requests`);
      });
    }

    await t.step("a place that is added is found by others", async () => {
      const [db, other] = [await open(vid), await open(vid)];
      await db.transaction(async (tx) => {
        const values = [places + 1, "Graftholm", "IS", "00", 65.1, -18.2];
        await tx.execute("insert into place values (?, ?, ?, ?, ?, ?)", values);
        await tx.execute("insert into place_name (rowid, name) values (?, ?)", values.slice(0, 2));
      }, { sync: true });
      await other.sync();
      const found = "select rowid from place_name where place_name match 'graftholm'";
      assert.deepEqual(await other.values(found), [[places + 1]]);
      assert.deepEqual(await other.values("select count(*) from place"), [[places + 1]]);
      assert.deepEqual(await other.values("pragma integrity_check"), [["ok"]]);
    });
  } finally {
    for (const db of opened) await db.close();
    await Deno.remove(folder, { recursive: true });
  }
});
