import assert from "node:assert/strict";
import { FileControl, OpenFlag, ResultCode } from "../engine/result_codes.ts";
import { page, TestSource, unreachable, VID } from "./_testing.ts";
import type { PragmaHandler } from "./volume_vfs.ts";
import { VolumeVfs } from "./volume_vfs.ts";
import { WriterLock } from "./writer_lock.ts";

const NAME = 1000;
const OUT = 2000;
const DATABASE = 1;
const JOURNAL = 2;
const ARGUMENT = 3000;
const DATA = 8192;

/** A file system whose engine is a piece of memory. */
class VfsBench {
  readonly heap = new Uint8Array(16_384);
  readonly source = new TestSource();
  readonly vfs: VolumeVfs;
  pragma: PragmaHandler = () => undefined;

  constructor() {
    this.vfs = new VolumeVfs({
      source: this.source,
      writers: new WriterLock(),
      observer: { hit: () => {}, missed: () => [], reset: () => {} },
      heap: () => this.heap,
      allocateText: (text) => this.put(text, 5000),
      pragma: (name, value) => this.pragma(name, value),
    });
  }

  put(text: string, at: number): number {
    this.heap.set(new TextEncoder().encode(`${text}\0`), at);
    return at;
  }

  text(at: number): string {
    return new TextDecoder().decode(this.heap.subarray(at, this.heap.indexOf(0, at)));
  }

  open(name: string, file = DATABASE): number {
    return this.vfs.xOpen(
      0,
      this.put(name, NAME),
      file,
      OpenFlag.MAIN_DB | OpenFlag.READWRITE,
      OUT,
    );
  }

  int(at: number): number {
    return new DataView(this.heap.buffer).getInt32(at, true);
  }

  ask(name: string, value?: string): ReturnType<VolumeVfs["xFileControl"]> {
    const view = new DataView(this.heap.buffer);
    view.setUint32(ARGUMENT, 0, true);
    view.setUint32(ARGUMENT + 4, this.put(name, 4000), true);
    view.setUint32(ARGUMENT + 8, value === undefined ? 0 : this.put(value, 4500), true);
    return this.vfs.xFileControl(DATABASE, FileControl.PRAGMA, ARGUMENT);
  }
}

Deno.test("only the volume is opened, once; all the rest lies in memory", () => {
  const bench = new VfsBench();
  assert.equal(bench.open("other"), ResultCode.CANTOPEN);
  assert.match(String(bench.vfs.takeFailure()?.cause), /other/);
  assert.equal(bench.open(VID), ResultCode.OK);
  assert.equal(bench.int(OUT), OpenFlag.MAIN_DB | OpenFlag.READWRITE);
  assert.equal(bench.open(VID, 9), ResultCode.CANTOPEN);
  assert.equal(bench.vfs.xOpen(0, 0, JOURNAL, 0x800, OUT), ResultCode.OK, "without a name");
  assert.equal(bench.vfs.xClose(DATABASE), ResultCode.OK);
  assert.equal(bench.open(VID), ResultCode.OK);
});

Deno.test("no journal is ever found, and what one holds goes with it", () => {
  const bench = new VfsBench();
  bench.vfs.xOpen(0, 0, JOURNAL, 0x800, OUT);
  bench.heap[DATA] = 7;
  assert.equal(bench.vfs.xWrite(JOURNAL, DATA, 1, 5, 0), ResultCode.OK);
  bench.vfs.xFileSize(JOURNAL, OUT);
  assert.equal(bench.int(OUT), 6);
  assert.equal(bench.vfs.xTruncate(JOURNAL, 5, 0), ResultCode.OK);
  assert.equal(bench.vfs.xRead(JOURNAL, DATA, 1, 5, 0), ResultCode.IOERR_SHORT_READ);
  bench.heap[OUT] = 1;
  assert.equal(bench.vfs.xAccess(0, bench.put("x-journal", NAME), 0, OUT), ResultCode.OK);
  assert.equal(bench.int(OUT), 0);
  assert.equal(
    bench.vfs.xFileControl(JOURNAL, FileControl.COMMIT_PHASETWO, 0),
    ResultCode.NOTFOUND,
  );
  bench.vfs.xClose(JOURNAL);
  bench.vfs.xOpen(0, 0, JOURNAL, 0x800, OUT);
  bench.vfs.xFileSize(JOURNAL, OUT);
  assert.equal(bench.int(OUT), 0);
});

Deno.test("offsets have 64 bits", () => {
  const bench = new VfsBench();
  bench.source.write({ pages: new Map([[2 ** 20 + 1, page(9)]]), pageCount: 2 ** 20 + 1 });
  bench.open(VID);
  bench.vfs.xFileSize(DATABASE, OUT);
  const view = new DataView(bench.heap.buffer);
  assert.equal(view.getBigInt64(OUT, true), (2n ** 20n + 1n) * 4096n);
  assert.equal(bench.vfs.xRead(DATABASE, DATA, 4096, 0, 1), ResultCode.OK);
  assert.equal(bench.heap[DATA], 9);
  assert.equal(bench.vfs.xRead(DATABASE, DATA, 4096, -4096, 0), ResultCode.OK, "unsigned");
  assert.equal(bench.heap[DATA], 0);
});

Deno.test("after a failure that nobody took nothing is committed", async () => {
  const bench = new VfsBench();
  bench.source.write({ pages: new Map(), pageCount: 1 });
  bench.open(VID);
  bench.source.isLate = () => true;
  bench.source.onRead = () => Promise.reject(unreachable());
  bench.vfs.xLock(DATABASE, 1);
  bench.vfs.xLock(DATABASE, 2);
  assert.equal(await bench.vfs.xRead(DATABASE, DATA, 4096, 0, 0), ResultCode.IOERR_READ);
  bench.vfs.xWrite(DATABASE, DATA, 4096, 4096, 0);
  const commit = () => bench.vfs.xFileControl(DATABASE, FileControl.COMMIT_PHASETWO, 0);
  assert.ok(bench.vfs.hasFailed && bench.vfs.isTainted);
  assert.equal(await commit(), ResultCode.IOERR_COMMIT_ATOMIC);
  assert.equal(bench.vfs.takeFailure()?.resultCode, ResultCode.IOERR_READ);
  assert.equal(bench.vfs.takeFailure(), undefined);
  assert.equal(await commit(), ResultCode.OK);
  assert.equal(bench.source.commits.length, 2);
});

Deno.test("a lock that is refused is forgotten for what fails after it", async () => {
  const bench = new VfsBench();
  bench.source.write({ pages: new Map(), pageCount: 1 });
  bench.open(VID);
  bench.source.isReadOnly = true;
  bench.vfs.xLock(DATABASE, 1);
  assert.equal(bench.vfs.xLock(DATABASE, 2), ResultCode.READONLY);
  assert.equal(bench.vfs.hasFailed, false);
  bench.source.isLate = () => true;
  bench.source.onRead = () => Promise.reject(unreachable());
  await bench.vfs.xRead(DATABASE, DATA, 4096, 0, 0);
  assert.equal(bench.vfs.takeFailure()?.resultCode, ResultCode.IOERR_READ);
});

Deno.test("nothing is thrown through SQLite", () => {
  const bench = new VfsBench();
  const { vfs } = bench;
  const answers = [
    vfs.xRead(7, DATA, 1, 0, 0),
    vfs.xWrite(7, DATA, 1, 0, 0),
    vfs.xTruncate(7, 0, 0),
    vfs.xFileSize(7, OUT),
    vfs.xLock(7, 1),
    vfs.xUnlock(7, 0),
    vfs.xCheckReservedLock(7, OUT),
    vfs.xFileControl(7, FileControl.PRAGMA, ARGUMENT),
  ];
  assert.ok(answers.every((code) => (Number(code) & 0xff) === ResultCode.IOERR), `${answers}`);
  assert.equal(vfs.xClose(7), ResultCode.OK);
});

Deno.test("pragmas are answered with text, nothing, later, or an error", async () => {
  const bench = new VfsBench();
  bench.open(VID);
  assert.equal(bench.ask("cache_size"), ResultCode.NOTFOUND);
  bench.pragma = (name, value) => `${name}=${value}`;
  assert.equal(bench.ask("Graft_X", "Y"), ResultCode.OK);
  assert.equal(bench.text(bench.int(ARGUMENT)), "graft_x=Y");
  bench.pragma = () => Promise.resolve(null);
  assert.equal(await bench.ask("graft_x"), ResultCode.OK);
  assert.equal(bench.int(ARGUMENT), 0);
  for (const refuse of [() => Promise.reject(unreachable()), () => assert.fail("at once")]) {
    bench.pragma = refuse;
    assert.equal(await bench.ask("graft_x"), ResultCode.ERROR);
    assert.match(bench.text(bench.int(ARGUMENT)), /connection failed|at once/);
    assert.equal(bench.vfs.takeFailure()?.resultCode, ResultCode.ERROR);
  }
});

Deno.test("names are taken as they are, where they find room", () => {
  const bench = new VfsBench();
  bench.put("name", NAME);
  assert.equal(bench.vfs.xFullPathname(0, NAME, 5, OUT), ResultCode.OK);
  assert.equal(bench.text(OUT), "name");
  assert.equal(bench.vfs.xFullPathname(0, NAME, 4, OUT), ResultCode.CANTOPEN);
});
