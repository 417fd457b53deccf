// Databases that others wrote.

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { BUILDS } from "../../client/sqlite/engine/_testing.ts";
import { connect, TestSource } from "../../client/sqlite/vfs/_testing.ts";

/** The pages of a file that SQLite makes. */
async function pagesOf(sql: string, pageSize = 4096): Promise<Map<number, Uint8Array>> {
  const path = await Deno.makeTempFile({ suffix: ".sqlite" });
  try {
    const database = new DatabaseSync(path);
    database.exec(`pragma page_size = ${pageSize}; ${sql}`);
    database.close();
    const bytes = await Deno.readFile(path);
    const starts = Array.from({ length: Math.ceil(bytes.length / 4096) }, (_, i) => i * 4096);
    return new Map(starts.map((at) => {
      const page = new Uint8Array(4096);
      page.set(bytes.subarray(at, at + 4096));
      return [at / 4096 + 1, page];
    }));
  } finally {
    await Deno.remove(path);
  }
}

async function sourceOf(sql: string, pageSize?: number): Promise<TestSource> {
  const source = new TestSource();
  const pages = await pagesOf(sql, pageSize);
  source.write({ pages, pageCount: pages.size });
  return source;
}

const FILL = `create table t (a); insert into t with recursive i(n) as
  (select 1 union all select n + 1 from i where n < 2000) select 'row ' || n from i;`;

for (const build of BUILDS) {
  Deno.test(`${build}: a database that had a WAL is read and written`, async () => {
    const source = await sourceOf(`pragma journal_mode = wal; ${FILL}`);
    const connection = await connect(build, source);
    assert.deepEqual(await connection.all("select count(*) as n from t"), [{ n: 2000 }]);
    await connection.run("delete from t where rowid > 10");
    await connection.close();
    const again = await connect(build, source);
    assert.deepEqual(await again.all("select count(*) as n from t"), [{ n: 10 }]);
    assert.deepEqual(await again.all("pragma integrity_check"), [{ integrity_check: "ok" }]);
    await again.close();
  });

  Deno.test(`${build}: text in UTF-16 is read and written`, async () => {
    const source = await sourceOf(`pragma encoding = "UTF-16le"; ${FILL}`);
    const connection = await connect(build, source);
    await connection.run("insert into t values (?)", ["\u{1f600} \u00f6"]);
    assert.deepEqual(await connection.all("select a from t where rowid in (7, 2001)"), [
      { a: "row 7" },
      { a: "\u{1f600} \u00f6" },
    ]);
    await connection.close();
  });

  Deno.test(`${build}: other page sizes are refused with words`, async () => {
    for (const pageSize of [1024, 8192, 65_536]) {
      const source = await sourceOf(FILL, pageSize);
      const opened = connect(build, source);
      await assert.rejects(opened, { code: "invalid", message: /page size/, hint: /mport/ });
      assert.equal(source.open, 0);
    }
  });

  Deno.test(`${build}: what is no database is said to be none`, async () => {
    const source = new TestSource();
    source.write({ pages: new Map([[1, new Uint8Array(4096).fill(7)]]), pageCount: 1 });
    await assert.rejects(connect(build, source), { code: "damaged", resultName: "SQLITE_NOTADB" });
  });
}
