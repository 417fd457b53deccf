import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { isGraftError } from "../../core/errors.ts";
import { dump, fill, inDirectory, KINDS, makeDatabase } from "./_testing.ts";
import { SourceDatabase } from "./source_database.ts";

/** All pages of a file, as they would be imported. */
async function pagesOf(path: string, check = true): Promise<Uint8Array> {
  using source = await SourceDatabase.open(path, { check });
  return await source.read(1, source.pageCount);
}

async function codeOf(path: string): Promise<string> {
  try {
    using _source = await SourceDatabase.open(path, { check: true, busyMs: 0 });
    return "opened";
  } catch (error) {
    assert(isGraftError(error), String(error));
    return error.code;
  }
}

for (const [kind, pragmas] of Object.entries(KINDS)) {
  Deno.test(`a database with ${kind} is read as one with pages of 4096 and no WAL`, async () => {
    await inDirectory(async (directory) => {
      const [path, copy] = [`${directory}/a.db`, `${directory}/b.db`];
      makeDatabase(path, pragmas);
      const before = await Deno.readFile(path);
      const pages = await pagesOf(path);
      await Deno.writeFile(copy, pages);
      assert.deepEqual([...pages.subarray(16, 20)], [0x10, 0, 1, 1]);
      assert.deepEqual(dump(copy), dump(path));
      assert.deepEqual(await Deno.readFile(path), before);
      // an interrupted import goes on only if the same file makes the same pages
      assert.deepEqual(await pagesOf(path), pages);
    });
  });
}

Deno.test("what is in the WAL is read, while its writer has it open and goes on", async () => {
  await inDirectory(async (directory) => {
    const [path, copy] = [`${directory}/a.db`, `${directory}/b.db`];
    const writer = new DatabaseSync(path);
    writer.exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
    fill(writer, 300);
    const expected = dump(path);
    const [before, wal] = [await Deno.readFile(path), await Deno.readFile(`${path}-wal`)];
    assert(wal.length > before.length, "the frames were merged already");
    {
      using source = await SourceDatabase.open(path, { check: true });
      writer.exec("DELETE FROM entries");
      await Deno.writeFile(copy, await source.read(1, source.pageCount));
    }
    assert.deepEqual(await Deno.readFile(path), before);
    writer.close();
    assert.deepEqual(dump(copy), expected);
  });
});

Deno.test("nobody commits to a file while it is read in place", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/a.db`;
    makeDatabase(path);
    const writer = new DatabaseSync(path, { timeout: 0 });
    {
      using source = await SourceDatabase.open(path, { check: true });
      assert.equal(source.isCopy, false);
      assert.throws(() => writer.exec("DELETE FROM entries"), /locked/);
      // other readers are welcome
      assert.equal(writer.prepare("SELECT count(*) AS n FROM entries").get()?.n, 300);
      source.assertUnchanged();
    }
    writer.exec("DELETE FROM entries");
    writer.close();
  });
});

Deno.test("a change past SQLite's locks is noticed", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/a.db`;
    makeDatabase(path);
    using source = await SourceDatabase.open(path, { check: false });
    await Deno.utime(path, 1, 1);
    assert.throws(() => source.assertUnchanged(), /it changed meanwhile/);
  });
});

Deno.test("what cannot be imported is refused with a code", async () => {
  await inDirectory(async (directory) => {
    const write = (name: string, bytes: Uint8Array) => {
      Deno.writeFileSync(`${directory}/${name}`, bytes);
      return codeOf(`${directory}/${name}`);
    };
    assert.equal(await codeOf(`${directory}/none.db`), "missing");
    assert.equal(await codeOf(directory), "invalid");
    assert.equal(await write("zero.db", new Uint8Array(0)), "invalid");
    assert.equal(await write("short.db", new TextEncoder().encode("SQLite format 3\0")), "invalid");
    assert.equal(await write("encrypted.db", new Uint8Array(8192).fill(0xa7)), "invalid");
    assert.equal(await write("zeros.db", new Uint8Array(8192)), "invalid");
  });
});

Deno.test("a damaged database is found out, and imported only without a check", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/a.db`;
    makeDatabase(path);
    const bytes = await Deno.readFile(path);
    bytes.fill(0x5a, 3 * 4096, 4 * 4096);
    await Deno.writeFile(path, bytes);
    assert.equal(await codeOf(path), "damaged");
    assert.deepEqual(await pagesOf(path, false), bytes);
  });
});

Deno.test("a file that is being written to is refused", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/a.db`;
    makeDatabase(path);
    const writer = new DatabaseSync(path);
    writer.exec("BEGIN EXCLUSIVE");
    assert.equal(await codeOf(path), "conflict");
    writer.close();
  });
});

Deno.test("a file with a journal to roll back is refused, and stays as it is", async () => {
  await inDirectory(async (directory) => {
    const [path, crashed] = [`${directory}/a.db`, `${directory}/b.db`];
    makeDatabase(path);
    const writer = new DatabaseSync(path);
    // so little cache spills into the file, and the journal is the way back
    writer.exec("PRAGMA cache_size = 1; BEGIN; UPDATE entries SET name = name || 'x'");
    await Deno.copyFile(path, crashed);
    await Deno.copyFile(`${path}-journal`, `${crashed}-journal`);
    writer.close();
    const before = await Deno.readFile(crashed);
    assert.equal(await codeOf(crashed), "conflict");
    assert.deepEqual(await Deno.readFile(crashed), before);
  });
});

Deno.test("a database without tables has pages", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/a.db`;
    const database = new DatabaseSync(path);
    database.exec("VACUUM");
    database.close();
    assert.equal((await pagesOf(path)).length, 4096);
  });
});
