import assert from "node:assert/strict";
import { type GraftErrorCode, isGraftError } from "../../src/core/errors.ts";
import { loadSqlite, type OpenDatabase, type SqlDatabase } from "./_sqlite_io.ts";
import { testFullStorage, testStorage } from "./_conformance.ts";
import { pageKey, rowsOf, sampleBytes, type StoragePlace } from "./_testing.ts";
import type { ReplicaStorage } from "./replica_storage.ts";
import { SqliteStorage } from "./sqlite_storage.ts";

const openDatabase = await loadSqlite();

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "graft-sqlite-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function makePlace(open: OpenDatabase): Promise<StoragePlace> {
  const folder = await Deno.makeTempDir({ prefix: "graft-sqlite-" });
  const path = `${folder}/replica.db`;
  return {
    open: (options) => SqliteStorage.open(path, { ...options, openDatabase: open }),
    remove: () => Deno.remove(folder, { recursive: true }),
  };
}

/** A database that may have two megabytes. */
function openSmallDatabase(path: string): SqlDatabase {
  const database = openDatabase(path);
  database.prepare("pragma max_page_count = 512").get();
  return database;
}

testStorage(
  { name: "sqlite:", makePlace: () => makePlace(openDatabase), isKept: true },
  Deno.test,
);
testFullStorage(
  { name: "sqlite:", makePlace: () => makePlace(openSmallDatabase), isKept: true },
  Deno.test,
);

async function rejectsToOpen(path: string, code: GraftErrorCode, state: RegExp): Promise<void> {
  await assert.rejects(SqliteStorage.open(path), (error: unknown) => {
    assert.ok(isGraftError(error, code), `${error}`);
    assert.match(error.message, state);
    return true;
  });
}

Deno.test("a file in a folder that is not there cannot be opened", async () => {
  await inFolder(async (folder) => {
    await rejectsToOpen(`${folder}/none/replica.db`, "unavailable", /the file cannot be opened$/);
  });
});

Deno.test("a file that is no database is damage, and stays as it is", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/replica.db`;
    await Deno.writeFile(path, sampleBytes(10_000));
    await rejectsToOpen(path, "damaged", /no database, or damaged$/);
    assert.deepEqual(await Deno.readFile(path), sampleBytes(10_000));
  });
});

Deno.test("another program's database is refused, and stays as it is", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/other.db`;
    const database = openDatabase(path);
    database.prepare("create table notes (text text)").run();
    database.close();
    const before = await Deno.readFile(path);
    await rejectsToOpen(path, "invalid", /the file is another program's database$/);
    assert.deepEqual(await Deno.readFile(path), before);
  });
});

Deno.test("a storage of a later format is refused", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/replica.db`;
    await (await SqliteStorage.open(path)).close();
    const database = openDatabase(path);
    database.prepare("pragma user_version = 2").run();
    database.close();
    await rejectsToOpen(path, "invalid", /the file is of format 2, not 1$/);
  });
});

Deno.test("a file that was cut is damage, and is never started afresh", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/replica.db`;
    const storage = await SqliteStorage.open(path);
    const put = Array.from({ length: 500 }, (_, i) => [pageKey(i), sampleBytes(4104, i)] as const);
    await storage.write({ put });
    await storage.close();
    await Deno.truncate(path, 300_000);
    await assert.rejects(async () => {
      const cut = await SqliteStorage.open(path);
      try {
        for (const [key] of put) cut.get(key);
      } finally {
        await cut.close();
      }
    }, (error: unknown) => isGraftError(error, "damaged"));
    assert.equal((await Deno.stat(path)).size, 300_000);
  });
});

Deno.test("a strict write flushes what was relaxed before it, even where it changes nothing", async () => {
  await inFolder(async (folder) => {
    let database: SqlDatabase | undefined;
    const storage = await SqliteStorage.open(`${folder}/replica.db`, {
      openDatabase: (path) => database = openDatabase(path),
    });
    // SQLite flushes commits that change a byte, and this number is in them
    const flushes = () => database?.prepare("select number from flushes").get()?.number;
    const numbers = [];
    const row = { put: [["v/a", sampleBytes(9)] as const] };
    for (
      const durability of ["strict", "strict", "relaxed", "relaxed", "strict", "strict"] as const
    ) {
      await storage.write({ ...row, durability });
      numbers.push(flushes());
    }
    assert.deepEqual(numbers, [1, 1, 1, 1, 2, 2]);
    await storage.close();
  });
});

const BATCHES = 12;
const ROWS = 5;

/** Writes batches; batch n sets every row to bytes of seed n. */
async function writeBatches(storage: ReplicaStorage): Promise<void> {
  for (let n = 1; n <= BATCHES; n++) {
    const put = Array.from({ length: ROWS }, (_, i) => [`v/${i}`, sampleBytes(900, n)] as const);
    await storage.write({ put: [...put, [`c/${n}`, sampleBytes(10, n)]] });
  }
}

/** Asserts that the rows are those after some whole batch; returns which. */
async function wholeBatches(storage: ReplicaStorage): Promise<number> {
  const rows = await rowsOf(storage);
  const count = Object.keys(rows).filter((key) => key.startsWith("c/")).length;
  for (let n = 1; n <= count; n++) assert.deepEqual(rows[`c/${n}`], sampleBytes(10, n));
  for (let i = 0; count > 0 && i < ROWS; i++) {
    assert.deepEqual(rows[`v/${i}`], sampleBytes(900, count));
  }
  return count;
}

Deno.test("a torn tail of the log takes whole batches, never parts of one", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/replica.db`;
    const storage = await SqliteStorage.open(path);
    await writeBatches(storage);
    const [file, log] = [await Deno.readFile(path), await Deno.readFile(`${path}-wal`)];
    await storage.close();
    const counts = new Set<number>();
    for (let cut = 0; cut <= log.length; cut += 1999) {
      await Deno.writeFile(`${folder}/cut.db`, file);
      await Deno.writeFile(`${folder}/cut.db-wal`, log.slice(0, cut));
      const opened = await SqliteStorage.open(`${folder}/cut.db`);
      counts.add(await wholeBatches(opened));
      await opened.close();
    }
    assert.deepEqual(
      [...counts],
      Array.from({ length: BATCHES + 1 }, (_, n) => n).slice(0, counts.size),
    );
    assert.ok(counts.size > BATCHES - 2);
  });
});

const WRITER = `
  import { SqliteStorage } from ${JSON.stringify(import.meta.resolve("./sqlite_storage.ts"))};
  const storage = await SqliteStorage.open(Deno.args[0]);
  for (let n = 1;; n++) {
    const value = new Uint8Array(900).fill(n);
    await storage.write({ put: [["v/a", value], ["v/b", value], ["c/" + n, value]] });
    Deno.stdout.writeSync(Uint8Array.of(10));
  }
`;

Deno.test("a killed program leaves every batch that was told done, and frees the storage", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/replica.db`;
    await Deno.writeTextFile(`${folder}/writer.ts`, WRITER);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", `${folder}/writer.ts`, path],
      stdout: "piped",
      stderr: "null",
    }).spawn();
    let told = 0;
    for await (const bytes of child.stdout) {
      told += bytes.length;
      if (told === bytes.length) await rejectsToOpen(path, "unavailable", /has it open$/);
      if (told > 50) break;
    }
    child.kill("SIGKILL");
    await child.status;
    const storage = await SqliteStorage.open(path);
    const { "v/a": a, "v/b": b, ...commits } = await rowsOf(storage);
    const count = Object.keys(commits).length;
    assert.ok(count >= told, `${told} batches were told done, ${count} are there`);
    assert.deepEqual([a[0], b[0]], [count & 0xff, count & 0xff]);
    await storage.close();
  });
});
