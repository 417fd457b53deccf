import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { isGraftError } from "../../core/errors.ts";
import { PAGE_SIZE } from "../../core/limits.ts";
import { inDirectory, makeDatabase } from "../import/_testing.ts";
import { exportDatabase, type ExportSource } from "./export_database.ts";
import { TargetFile } from "./target_file.ts";

/** The pages of a file as a volume has them; those of zeros were never written. */
function sourceOf(bytes: Uint8Array<ArrayBuffer>): ExportSource {
  return {
    name: "a volume",
    pageCount: bytes.length / PAGE_SIZE,
    read(first, count) {
      const pages = bytes.slice((first - 1) * PAGE_SIZE, (first - 1 + count) * PAGE_SIZE);
      return Promise.resolve(pages.some((byte) => byte !== 0) ? pages : undefined);
    },
  };
}

async function exported(path: string, source: ExportSource, check = true): Promise<void> {
  using target = TargetFile.create(path, false);
  await exportDatabase(source, target, { check });
}

async function sampleBytes(directory: string): Promise<Uint8Array<ArrayBuffer>> {
  const path = `${directory}/sample.db`;
  makeDatabase(path, "", 6000);
  const database = new DatabaseSync(path);
  // free pages, zeroed: more of them than are read at once
  database.exec("PRAGMA secure_delete = ON; DROP TABLE entries; CREATE TABLE last (id); ");
  database.close();
  return await Deno.readFile(path);
}

Deno.test("a database comes out as it went in, pages that were never written included", async () => {
  await inDirectory(async (directory) => {
    const bytes = await sampleBytes(directory);
    assert(bytes.length > 512 * PAGE_SIZE, "it is read at once");
    await exported(`${directory}/out.db`, sourceOf(bytes));
    assert.deepEqual(await Deno.readFile(`${directory}/out.db`), bytes);
  });
});

Deno.test("a header that volumes leave behind is put right", async () => {
  await inDirectory(async (directory) => {
    const bytes = await sampleBytes(directory);
    const view = new DataView(bytes.buffer);
    view.setUint32(24, 4711);
    view.setUint32(28, 3);
    view.setUint8(18, 2);
    view.setUint8(19, 2);
    await exported(`${directory}/out.db`, sourceOf(bytes));
    const out = new DataView((await Deno.readFile(`${directory}/out.db`)).buffer);
    const fields = [out.getUint32(24), out.getUint32(92), out.getUint32(28), out.getUint16(18)];
    assert.deepEqual(fields, [4711, 4711, bytes.length / PAGE_SIZE, 0x0101]);
  });
});

Deno.test("what is no database, half of one, or nothing is refused and leaves no file", async () => {
  await inDirectory(async (directory) => {
    const bytes = await sampleBytes(directory);
    const path = `${directory}/out.db`;
    const refused = async (content: Uint8Array<ArrayBuffer>, state: RegExp) =>
      await assert.rejects(exported(path, sourceOf(content)), (error) => {
        assert(isGraftError(error, "invalid"), String(error));
        assert.match(error.message, state);
        return true;
      });
    await refused(new Uint8Array(0), /it has no pages/);
    await refused(bytes.slice().fill(0, 0, PAGE_SIZE), /its first page is missing/);
    await refused(bytes.slice().fill(7, 0, PAGE_SIZE), /it holds no SQLite database/);
    assert.deepEqual([...Deno.readDirSync(directory)].map(({ name }) => name), ["sample.db"]);
  });
});

Deno.test("a damaged database is found out at the end, unless nobody asks", async () => {
  await inDirectory(async (directory) => {
    makeDatabase(`${directory}/sample.db`);
    const bytes = await Deno.readFile(`${directory}/sample.db`);
    bytes.fill(0x5a, 3 * PAGE_SIZE, 4 * PAGE_SIZE);
    const path = `${directory}/out.db`;
    await assert.rejects(
      exported(path, sourceOf(bytes)),
      (error) => isGraftError(error, "damaged"),
    );
    await exported(path, sourceOf(bytes), false);
    assert.deepEqual(await Deno.readFile(path), bytes);
  });
});

Deno.test("a read that fails ends the export and leaves no file", async () => {
  await inDirectory(async (directory) => {
    const whole = sourceOf(await sampleBytes(directory));
    const source: ExportSource = {
      ...whole,
      read: (first, count) =>
        first > 300 ? Promise.reject(new Error("gone")) : whole.read(first, count),
    };
    await assert.rejects(exported(`${directory}/out.db`, source), /gone/);
    assert.deepEqual([...Deno.readDirSync(directory)].map(({ name }) => name), ["sample.db"]);
  });
});
