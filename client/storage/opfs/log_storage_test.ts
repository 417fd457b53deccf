import assert from "node:assert/strict";
import { GraftError, isGraftError } from "../../../src/core/errors.ts";
import { testFullStorage, testStorage } from "../_conformance.ts";
import { rowsOf, sampleBytes, type StoragePlace } from "../_testing.ts";
import { SimulatedFiles } from "./_testing.ts";
import { LogStorage } from "./log_storage.ts";

const name = "opfs:test";

function makePlace(folder: SimulatedFiles): Promise<StoragePlace> {
  return Promise.resolve({
    open: () => LogStorage.open({ name, folder }),
    remove: () => Promise.resolve(assert.deepEqual(folder.openNames, [])),
  });
}

/** A folder with room for two megabytes. */
function smallFolder(): SimulatedFiles {
  const folder = new SimulatedFiles();
  folder.bytesMax = 2 * 1024 * 1024;
  return folder;
}

// who owns a folder is decided before the log is opened
testStorage(
  { name: "log:", makePlace: () => makePlace(new SimulatedFiles()), isKept: false },
  Deno.test,
);
testFullStorage(
  { name: "log:", makePlace: () => makePlace(smallFolder()), isKept: true },
  Deno.test,
);

const open = (folder: SimulatedFiles) => LogStorage.open({ name, folder, fileBytes: 4096 });

async function withLog(
  folder: SimulatedFiles,
  use: (storage: LogStorage) => Promise<void>,
): Promise<void> {
  const storage = await open(folder);
  try {
    await use(storage);
  } finally {
    await storage.close();
  }
}

/** A folder with a log of some files, closed in good order. */
async function makeLog(): Promise<{ folder: SimulatedFiles; rows: Record<string, Uint8Array> }> {
  const folder = new SimulatedFiles();
  let rows: Record<string, Uint8Array> = {};
  await withLog(folder, async (storage) => {
    for (let i = 0; i < 20; i++) {
      await storage.write({ put: [[`v/${i}`, sampleBytes(700, i)]] });
    }
    rows = await rowsOf(storage);
  });
  return { folder, rows };
}

function rejectsAsDamaged(opening: Promise<unknown>, state: RegExp): Promise<void> {
  return assert.rejects(opening, (error: unknown) => {
    assert.ok(isGraftError(error, "damaged"), `${error}`);
    assert.match(error.message, state);
    return true;
  });
}

Deno.test("what is gone makes room: the log stays within twice the rows and some files", async () => {
  const folder = new SimulatedFiles();
  await withLog(folder, async (storage) => {
    for (let i = 0; i < 2000; i++) {
      await storage.write({
        put: [[`v/${i % 40}`, sampleBytes(200, i)], ["c", sampleBytes(9, i)]],
      });
      if (i % 10 === 9) await storage.write({ delete: [`v/${(i + 7) % 40}`] });
      assert.ok(storage.fileBytes <= 2 * storage.bytes + 5 * 4096, `${storage.fileBytes} at ${i}`);
    }
    const rows = await rowsOf(storage);
    assert.deepEqual(rows.c, sampleBytes(9, 1999));
    const before = { rows, bytes: storage.bytes };
    await storage.close();
    await withLog(folder, async (again) => {
      assert.deepEqual(await rowsOf(again), before.rows);
      assert.equal(again.bytes, before.bytes);
    });
  });
});

Deno.test("a file has no more bytes than it may, unless one write has more", async () => {
  const folder = new SimulatedFiles();
  const sizes: number[] = [];
  await withLog(folder, async (storage) => {
    for (const [i, length] of [1500, 1500, 1500, 6000, 1500].entries()) {
      await storage.write({ put: [[`v/${i}`, sampleBytes(length)]] });
    }
  });
  for (const name of (await folder.list()).sort()) sizes.push((await folder.open(name)).size());
  const record = (length: number) => 40 + Math.ceil((8 + length) / 8) * 8;
  const seal = 40;
  assert.deepEqual(sizes, [2 * record(1500), record(1500), record(6000), record(1500) + seal]);
});

Deno.test("a removed row stays gone though a file with it comes back", async () => {
  const folder = new SimulatedFiles();
  await withLog(folder, async (storage) => {
    await storage.write({ put: [["gone", sampleBytes(100)]] });
    await storage.write({ delete: ["gone"] });
    for (let i = 0; i < 400; i++) await storage.write({ put: [["v/a", sampleBytes(200, i)]] });
  });
  const names = await folder.list();
  assert.ok(!names.includes("00000001.log"), "the first file was not compacted");
  const back = folder.cutPower(() => 0);
  assert.ok((await back.list()).includes("00000001.log"), "the first file did not come back");
  await withLog(back, async (storage) => {
    assert.deepEqual(await rowsOf(storage), { "v/a": sampleBytes(200, 399) });
  });
  assert.deepEqual((await back.list()).toSorted(), names.toSorted());
});

Deno.test("relaxed batches are not flushed, the next strict one flushes them, too", async () => {
  const folder = new SimulatedFiles();
  await withLog(folder, async (storage) => {
    for (let i = 0; i < 3; i++) {
      await storage.write({ put: [[`v/${i}`, sampleBytes(9)]], durability: "relaxed" });
    }
    assert.equal(folder.flushes, 0);
    await storage.write({ durability: "strict" });
    assert.equal(folder.flushes, 1);
    const left = folder.cutPower(() => 0);
    await withLog(left, async (again) => {
      assert.equal(Object.keys(await rowsOf(again)).length, 3);
    });
  });
});

Deno.test("any changed byte of a log that was closed is damage", async () => {
  const { folder } = await makeLog();
  const files = (await folder.list()).toSorted();
  assert.ok(files.length > 2);
  for (const file of files) {
    // the last record only vouches for those before it
    const end = folder.contentOf(file).length - (file === files.at(-1) ? 40 : 0);
    for (let at = 0; at < end; at += 37) {
      const copy = folder.cutPower(() => 0);
      copy.contentOf(file)[at] ^= 0x10;
      await rejectsAsDamaged(open(copy), new RegExp(`the file ${file} is not whole behind byte`));
    }
  }
});

/** Chance that begins with these numbers, and goes on with zeros. */
function sequence(...numbers: number[]): () => number {
  return () => numbers.shift() ?? 0;
}

/** A log of three batches of which the second is torn, as none was flushed. */
async function makeTornLog(): Promise<SimulatedFiles> {
  const folder = new SimulatedFiles();
  const storage = await open(folder);
  for (const key of ["first", "other", "third"]) {
    await storage.write({ put: [[key, sampleBytes(50)]], durability: "relaxed" });
  }
  const left = folder.cutPower(sequence(0.999));
  const [file] = await left.list();
  assert.equal(left.contentOf(file).length, 3 * RECORD_BYTES);
  left.contentOf(file)[RECORD_BYTES + 60] ^= 1;
  return left;
}

/** Of a batch of a key of 5 characters and 50 bytes. */
const RECORD_BYTES = 104;

Deno.test("what comes after a torn batch never comes back", async () => {
  const folder = await makeTornLog();
  const storage = await open(folder);
  assert.deepEqual(Object.keys(await rowsOf(storage)), ["first"]);
  await storage.write({ put: [["again", sampleBytes(50)]], durability: "relaxed" });
  // everything that was written since is kept, and of the file the longest that it has been
  const left = folder.cutPower(sequence(0.999));
  await storage.close();
  for (const later of [folder, left]) {
    await withLog(later, async (again) => {
      assert.deepEqual(Object.keys(await rowsOf(again)), ["again", "first"]);
    });
  }
});

Deno.test("a missing file is damage", async () => {
  for (const file of ["00000001.log", "00000002.log"]) {
    const { folder } = await makeLog();
    await folder.remove(file);
    await rejectsAsDamaged(open(folder), new RegExp(`the file ${file} is missing$`));
    assert.deepEqual(folder.openNames, []);
  }
});

Deno.test("a file that is not the last and ends early is damage", async () => {
  const { folder } = await makeLog();
  const file = await folder.open("00000002.log");
  file.truncate(file.size() - 8);
  file.close();
  await rejectsAsDamaged(open(folder), /the file 00000002\.log is not whole behind byte \d+$/);
});

Deno.test("other files in the folder are left alone", async () => {
  const { folder, rows } = await makeLog();
  for (const other of ["1.log", "00000001.log.bak", "notes"]) (await folder.open(other)).close();
  await withLog(folder, async (storage) => assert.deepEqual(await rowsOf(storage), rows));
  assert.ok((await folder.list()).includes("notes"));
});

Deno.test("after a flush that failed nothing is written until it is opened again", async () => {
  const folder = new SimulatedFiles();
  const storage = await open(folder);
  await storage.write({ put: [["a", sampleBytes(1)]] });
  folder.flushError = new DOMException("I/O", "UnknownError");
  const unavailable = (error: unknown) =>
    error instanceof GraftError && error.code === "unavailable";
  await assert.rejects(storage.write({ put: [["b", sampleBytes(1)]] }), unavailable);
  folder.flushError = undefined;
  await assert.rejects(storage.write({ put: [["c", sampleBytes(1)]] }), unavailable);
  assert.deepEqual(await rowsOf(storage), { a: sampleBytes(1) });
  await storage.close();
  await withLog(folder, async (again) => {
    assert.deepEqual(again.get("a"), sampleBytes(1));
    assert.equal(again.get("c"), undefined);
    await again.write({ put: [["c", sampleBytes(1)]] });
  });
});

Deno.test("a file that cannot be read is told, and lets go of the others", async () => {
  const { folder } = await makeLog();
  const held = await folder.open("00000002.log");
  await assert.rejects(open(folder), (error: unknown) => isGraftError(error, "unavailable"));
  assert.deepEqual(folder.openNames, ["00000002.log"]);
  held.close();
});
