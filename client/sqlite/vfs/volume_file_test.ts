import assert from "node:assert/strict";
import { GraftError } from "../../../src/core/errors.ts";
import { LockLevel, ResultCode } from "../engine/result_codes.ts";
import { page, TestSource, unreachable } from "./_testing.ts";
import { type PageObserver, VolumeFile } from "./volume_file.ts";
import { WriterLock } from "./writer_lock.ts";

/** Page 1 of a database of SQLite, as far as the file looks at it. */
function pageOne(counter: number, fill = 0, pageSize = 4096): Uint8Array<ArrayBuffer> {
  const bytes = page(fill);
  bytes.set(new TextEncoder().encode("SQLite format 3\0"));
  const view = new DataView(bytes.buffer);
  view.setUint16(16, pageSize);
  view.setUint32(24, counter);
  view.setUint32(92, counter);
  return bytes;
}

/** A file, and memory of an engine. */
class FileBench {
  readonly heap = new Uint8Array(16_384);
  readonly failures: [unknown, number][] = [];
  readonly heard: string[] = [];
  readonly file: VolumeFile;

  constructor(readonly source = new TestSource(), writers = new WriterLock()) {
    const observer: PageObserver = {
      hit: (pageIdx) => void this.heard.push(`hit ${pageIdx}`),
      missed: (pageIdx) => {
        this.heard.push(`missed ${pageIdx}`);
        return [pageIdx + 1];
      },
      reset: () => void this.heard.push("reset"),
    };
    this.file = new VolumeFile({
      source,
      writers,
      observer,
      heap: () => this.heap,
      onFailure: (cause, code) => void this.failures.push([cause, code]),
    });
  }

  write(pageIdx: number, bytes: Uint8Array): number {
    this.heap.set(bytes, 4096);
    return this.file.write(4096, bytes.length, (pageIdx - 1) * 4096);
  }

  async read(pageIdx: number, from = 0, length = 4096): Promise<[number, Uint8Array]> {
    this.heap.fill(255, 0, 4096);
    const code = await this.file.read(0, length, (pageIdx - 1) * 4096 + from);
    return [code, this.heap.slice(0, length)];
  }

  async counter(): Promise<number> {
    return new DataView((await this.read(1, 24, 4))[1].buffer).getUint32(0);
  }

  begin(): void {
    assert.equal(this.file.lock(LockLevel.SHARED), ResultCode.OK);
    assert.equal(this.file.lock(LockLevel.RESERVED), ResultCode.OK);
  }

  async commit(): Promise<void> {
    this.file.lock(LockLevel.EXCLUSIVE);
    assert.equal(await this.file.commit(), ResultCode.OK);
    this.file.unlock(LockLevel.NONE);
  }
}

Deno.test("an empty volume is a file of no bytes", async () => {
  const bench = new FileBench();
  bench.file.lock(LockLevel.SHARED);
  assert.equal(bench.file.size, 0);
  const [code, bytes] = await bench.read(1, 24, 16);
  assert.equal(code, ResultCode.IOERR_SHORT_READ);
  assert.deepEqual(bytes, new Uint8Array(16));
});

Deno.test("what is written is one commit, and read before and after", async () => {
  const bench = new FileBench();
  bench.begin();
  bench.write(1, pageOne(7, 1));
  bench.write(3, page(3));
  assert.equal(bench.file.size, 3 * 4096);
  assert.equal((await bench.read(2))[1][0], 0, "between them are zeros");
  assert.equal((await bench.read(3))[1][5], 3);
  assert.equal(bench.source.commits.length, 0);
  await bench.commit();
  assert.deepEqual([...bench.source.commits[0].pages.keys()], [1, 3]);
  assert.equal(bench.source.commits[0].pageCount, 3);
  bench.file.lock(LockLevel.SHARED);
  assert.equal((await bench.read(3))[1][5], 3);
});

Deno.test("whatever unlocks without a commit has rolled back", async () => {
  const bench = new FileBench();
  bench.begin();
  bench.write(1, pageOne(1));
  await bench.commit();
  bench.begin();
  bench.write(1, pageOne(2, 9));
  bench.write(5, page(5));
  bench.file.truncate(4096);
  bench.file.unlock(LockLevel.SHARED);
  assert.equal(bench.file.size, 4096);
  assert.equal((await bench.read(1))[1][1000], 0);
  assert.equal(bench.file.isReserved, false);
  assert.equal(bench.source.commits.length, 1);
});

Deno.test("the counter stays with the snapshot, and changes with it", async () => {
  const bench = new FileBench();
  bench.begin();
  bench.write(1, pageOne(77));
  await bench.commit();
  bench.file.lock(LockLevel.SHARED);
  const own = await bench.counter();
  assert.equal(own, 77, "after its own commit it sees what it wrote");
  bench.file.unlock(LockLevel.NONE);
  bench.file.lock(LockLevel.SHARED);
  assert.equal(await bench.counter(), own);
  bench.file.unlock(LockLevel.NONE);
  bench.source.write({ pages: new Map([[1, pageOne(77, 5)]]), pageCount: 1 });
  bench.file.lock(LockLevel.SHARED);
  assert.notEqual(await bench.counter(), own, "another's commit is another counter");
  bench.file.unlock(LockLevel.NONE);
  const before = await bench.counter();
  bench.file.forgetCache();
  bench.file.lock(LockLevel.SHARED);
  assert.notEqual(await bench.counter(), before);
});

Deno.test("a commit that failed never looks like a state", async () => {
  const bench = new FileBench();
  bench.begin();
  bench.write(1, pageOne(100));
  await bench.commit();
  bench.begin();
  bench.write(1, pageOne(101, 1));
  bench.source.onCommit = () => Promise.reject(unreachable());
  assert.equal(await bench.file.commit(), ResultCode.IOERR_COMMIT_ATOMIC);
  bench.file.unlock(LockLevel.NONE);
  bench.source.write({ pages: new Map(), pageCount: 1 });
  bench.file.lock(LockLevel.SHARED);
  assert.ok(await bench.counter() > 101);
});

Deno.test("a counter alone is not written, and nothing is committed for it", async () => {
  const bench = new FileBench();
  bench.begin();
  bench.write(1, pageOne(1));
  await bench.commit();
  bench.begin();
  await bench.read(1);
  bench.write(1, pageOne(2));
  await bench.commit();
  assert.equal(bench.source.commits.length, 1);
  bench.file.lock(LockLevel.SHARED);
  assert.equal(await bench.counter(), 2);
});

Deno.test("what was cut off and is there again is zeros", async () => {
  const bench = new FileBench();
  bench.begin();
  bench.write(1, pageOne(1));
  for (const i of [2, 3, 4]) bench.write(i, page(i));
  await bench.commit();
  bench.begin();
  bench.write(3, page(33));
  bench.file.truncate(4096);
  bench.write(4, page(44));
  assert.equal((await bench.read(3))[1][0], 0);
  await bench.commit();
  const { pages, pageCount } = bench.source.commits[1];
  assert.equal(pageCount, 4);
  assert.deepEqual([...pages].map(([i, bytes]) => [i, bytes[0]]), [[4, 44], [2, 0], [3, 0]]);
});

Deno.test("one writes at a time, on the newest snapshot, and what is locked stays so", () => {
  const source = new TestSource();
  const writers = new WriterLock();
  const [one, two] = [new FileBench(source, writers), new FileBench(source, writers)];
  one.begin();
  two.file.lock(LockLevel.SHARED);
  assert.equal(two.file.lock(LockLevel.RESERVED), ResultCode.BUSY);
  assert.ok(two.file.isReserved);
  source.write({ pages: new Map(), pageCount: 1 });
  assert.equal(one.file.lock(LockLevel.EXCLUSIVE), ResultCode.OK, "this must never be busy");
  one.file.unlock(LockLevel.NONE);
  assert.equal(two.file.lock(LockLevel.RESERVED), ResultCode.BUSY_SNAPSHOT);
  assert.equal(two.file.isReserved, false);
  assert.equal(two.file.level, LockLevel.SHARED);
  assert.deepEqual(two.failures.map(([, code]) => code), [5, 517]);
  two.file.unlock(LockLevel.NONE);
  two.begin();
});

Deno.test("a volume that is open as it was is not written to", () => {
  const bench = new FileBench();
  bench.source.isReadOnly = true;
  bench.file.lock(LockLevel.SHARED);
  assert.equal(bench.file.lock(LockLevel.RESERVED), ResultCode.READONLY);
  const [[cause]] = bench.failures;
  assert.ok(cause instanceof GraftError && cause.code === "forbidden" && cause.hint);
});

Deno.test("other page sizes are refused wherever they come", async () => {
  const bench = new FileBench();
  bench.begin();
  assert.equal(bench.write(1, pageOne(1, 0, 8192)), ResultCode.IOERR_WRITE);
  assert.equal(bench.write(1, page(0).subarray(0, 1024)), ResultCode.IOERR_WRITE);
  assert.equal(bench.file.write(4096, 4096, 1024), ResultCode.IOERR_WRITE);
  assert.equal(bench.file.write(4096, 8192, 0), ResultCode.IOERR_WRITE);
  assert.equal(bench.file.truncate(1024), ResultCode.IOERR_TRUNCATE);
  bench.file.unlock(LockLevel.NONE);
  bench.source.write({ pages: new Map([[1, pageOne(1, 0, 1024)]]), pageCount: 2 });
  bench.file.lock(LockLevel.SHARED);
  assert.deepEqual(await bench.file.read(0, 100, 0), ResultCode.IOERR_READ);
  assert.deepEqual(await bench.file.read(0, 8192, 0), ResultCode.IOERR_READ);
  assert.equal(bench.failures.length, 7);
  assert.ok(bench.failures.every(([cause]) => (cause as GraftError).code === "invalid"));
});

Deno.test("pages that are here are answered at once, and others with what is fetched along", async () => {
  const bench = new FileBench();
  bench.source.write({ pages: new Map([[1, pageOne(1)], [2, page(2)]]), pageCount: 2 });
  bench.file.lock(LockLevel.SHARED);
  bench.heard.length = 0;
  assert.equal(bench.file.read(0, 4096, 4096), ResultCode.OK);
  assert.deepEqual(bench.heard, ["hit 2"]);
  bench.source.isLate = () => true;
  const answer = bench.file.read(0, 4096, 4096);
  assert.ok(answer instanceof Promise);
  assert.equal(await answer, ResultCode.OK);
  assert.deepEqual(bench.heard, ["hit 2", "missed 2", "hit 2"]);
  assert.deepEqual(bench.source.prefetched, [3]);
});

Deno.test("a page that does not come is an I/O error, and an interruption where nothing is written", async () => {
  const bench = new FileBench();
  bench.source.write({ pages: new Map([[1, pageOne(1)]]), pageCount: 1 });
  bench.source.isLate = () => true;
  bench.source.onRead = () => Promise.reject(unreachable());
  bench.file.lock(LockLevel.SHARED);
  assert.equal((await bench.read(1))[0], ResultCode.IOERR_READ);
  bench.source.onRead = () => new Promise(() => {});
  const reason = new GraftError("aborted", "Cannot go on");
  for (const code of [ResultCode.INTERRUPT, ResultCode.IOERR_READ]) {
    const reading = bench.file.read(0, 4096, 0);
    bench.file.interrupt(reason);
    assert.equal(await reading, code);
    assert.equal((await bench.read(1))[0], code, "and so do those that follow");
    assert.equal(bench.failures.at(-1)?.[0], reason);
    bench.file.resume();
    bench.file.lock(LockLevel.RESERVED);
  }
});

Deno.test("snapshots are let go of as soon as nobody reads them", () => {
  const bench = new FileBench();
  bench.file.lock(LockLevel.SHARED);
  bench.source.write({ pages: new Map(), pageCount: 1 });
  bench.file.dropStale();
  assert.equal(bench.source.open, 1, "it is read");
  bench.file.unlock(LockLevel.NONE);
  assert.equal(bench.source.open, 0);
  bench.file.lock(LockLevel.SHARED);
  bench.file.unlock(LockLevel.NONE);
  assert.equal(bench.source.open, 1, "it is the newest");
  bench.source.write({ pages: new Map(), pageCount: 2 });
  bench.file.dropStale();
  assert.equal(bench.source.open, 0);
  bench.begin();
  bench.file.close();
  assert.deepEqual([bench.source.open, bench.file.isReserved], [0, false]);
});

Deno.test("page 1 is written again after all was cut off, though it is what it was", async () => {
  const bench = new FileBench();
  const { file, source } = bench;
  source.write({ pages: new Map([[1, pageOne(1)], [2, page(2)]]), pageCount: 2 });
  bench.begin();
  await bench.read(1);
  file.lock(LockLevel.EXCLUSIVE);
  file.truncate(0);
  bench.write(1, pageOne(2));
  assert.equal(file.size, 4096);
  assert.equal(await file.commit(), ResultCode.OK);
  const { pages, pageCount } = source.commits.at(-1)!;
  assert.deepEqual([[...pages.keys()], pageCount], [[1], 1]);
});
