import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { SYNC_IO_BYTES_MAX, systemCode, systemDisk as disk } from "./_disk_io.ts";
import { sampleBytes, TemporaryDirectory } from "./_testing.ts";

Deno.test("a file is written and read, in small and in large pieces", async () => {
  await using directory = await TemporaryDirectory.make();
  for (const length of [0, 1, SYNC_IO_BYTES_MAX, SYNC_IO_BYTES_MAX + 1, 2_000_003]) {
    const path = `${directory.path}/${length}`;
    const created = disk.create(path);
    await disk.write(created, sampleBytes(length));
    await disk.syncData(created);
    disk.close(created);
    const { file, sizeBytes } = disk.open(path);
    equal(sizeBytes, length);
    const [whole, again] = [new Uint8Array(length), new Uint8Array(length)];
    equal(disk.readSync(file, whole, 0), length);
    equal(await disk.read(file, again, 0), length);
    deepEqual([whole, again], [sampleBytes(length), sampleBytes(length)]);
    disk.close(file);
  }
});

Deno.test("writes are appended", async () => {
  await using directory = await TemporaryDirectory.make();
  const file = disk.create(`${directory.path}/a`);
  await disk.write(file, sampleBytes(10).subarray(0, 4));
  await disk.write(file, sampleBytes(10).subarray(4));
  disk.close(file);
  deepEqual(await Deno.readFile(`${directory.path}/a`), sampleBytes(10));
});

Deno.test("a read stops at the end of the file", async () => {
  await using directory = await TemporaryDirectory.make();
  await Deno.writeFile(`${directory.path}/a`, sampleBytes(10));
  const { file } = disk.open(`${directory.path}/a`);
  equal(disk.readSync(file, new Uint8Array(20), 4), 6);
  equal(await disk.read(file, new Uint8Array(20), 4), 6);
  equal(disk.readSync(file, new Uint8Array(20), 30), 0);
  equal(await disk.read(file, new Uint8Array(20), 30), 0);
  disk.close(file);
});

Deno.test("errors carry the system's code", async () => {
  await using directory = await TemporaryDirectory.make();
  const path = (name: string) => `${directory.path}/${name}`;
  await Deno.writeFile(path("a"), sampleBytes(10));
  const codes: [string, () => unknown][] = [
    ["EEXIST", () => disk.create(path("a"))],
    ["ENOENT", () => disk.create(path("none/a"))],
    ["ENOTDIR", () => disk.create(path("a/a"))],
    ["ENOENT", () => disk.open(path("none"))],
    ["EISDIR", () => disk.open(directory.path)],
    ["ENOENT", () => disk.openDirectory(path("none"))],
    ["ENOTDIR", () => disk.openDirectory(path("a"))],
    ["EEXIST", () => disk.makeDirectory(directory.path)],
    ["ENOENT", () => disk.rename(path("none"), path("b"))],
    ["ENOENT", () => disk.link(path("none"), path("b"))],
    ["EEXIST", () => disk.link(path("a"), path("a"))],
    ["ENOENT", () => disk.remove(path("none"))],
    ["EISDIR", () => disk.remove(directory.path)],
    ["EBADF", () => disk.readSync(1_000_000, new Uint8Array(1), 0)],
  ];
  for (const [code, act] of codes) throws(act, (error) => systemCode(error) === code, code);
  await rejects(disk.list(path("none")), { code: "ENOENT" });
  await rejects(disk.sync(1_000_000), { code: "EBADF" });
  await rejects(disk.syncData(1_000_000), { code: "EBADF" });
});

Deno.test("a full device refuses small writes and large ones", async () => {
  const { openSync, closeSync } = await import("node:fs");
  const full = openSync("/dev/full", "w");
  for (const length of [10, SYNC_IO_BYTES_MAX + 1]) {
    await rejects(disk.write(full, sampleBytes(length)), { code: "ENOSPC" });
  }
  closeSync(full);
});

Deno.test("an empty directory is not removed as a file", async () => {
  await using directory = await TemporaryDirectory.make();
  disk.makeDirectory(`${directory.path}/empty`);
  throws(() => disk.remove(`${directory.path}/empty`), { code: "EISDIR" });
  equal(disk.stat(`${directory.path}/empty`)?.kind, "directory");
});

Deno.test("names are told by kind", async () => {
  await using directory = await TemporaryDirectory.make();
  await Deno.writeFile(`${directory.path}/file`, sampleBytes(10));
  await Deno.mkdir(`${directory.path}/folder`);
  await Deno.symlink("file", `${directory.path}/link`);
  const entries = await disk.list(directory.path);
  deepEqual(entries.sort((a, b) => a.name < b.name ? -1 : 1), [
    { name: "file", kind: "file" },
    { name: "folder", kind: "directory" },
    { name: "link", kind: "other" },
  ]);
  deepEqual(disk.stat(`${directory.path}/file`), { kind: "file", sizeBytes: 10 });
  equal(disk.stat(`${directory.path}/none`), undefined);
  equal(disk.stat(`${directory.path}/file/below`), undefined);
});

Deno.test("a directory can be synced", async () => {
  await using directory = await TemporaryDirectory.make();
  const file = disk.openDirectory(directory.path);
  await disk.sync(file);
  disk.close(file);
});

Deno.test("breathing lets other work run first", async () => {
  const order: string[] = [];
  setTimeout(() => order.push("timer"), 0);
  while (order.length === 0) await disk.breathe();
  deepEqual(order, ["timer"]);
});

Deno.test("an exclusive lock on a directory stands alone, a shared one does not", async () => {
  await using directory = await TemporaryDirectory.make();
  const first = disk.tryLock(directory.path);
  ok(first);
  equal(disk.tryLock(directory.path), undefined);
  first.share();
  const second = await disk.lockShared(directory.path);
  equal(disk.tryLock(directory.path), undefined);
  first.release();
  equal(disk.tryLock(directory.path), undefined);
  second.release();
  const third = disk.tryLock(directory.path);
  ok(third);
  third.release();
});

Deno.test("a shared lock waits for the exclusive one", async () => {
  await using directory = await TemporaryDirectory.make();
  const exclusive = disk.tryLock(directory.path);
  let isShared = false;
  const waiting = disk.lockShared(directory.path).then((lock) => {
    isShared = true;
    return lock;
  });
  for (let i = 0; i < 20; i++) await disk.breathe();
  equal(isShared, false);
  exclusive?.release();
  (await waiting).release();
});

Deno.test("a locked file can tell who holds it", async () => {
  await using directory = await TemporaryDirectory.make();
  const path = `${directory.path}/lock`;
  equal(disk.readText(path), undefined);
  const lock = disk.tryLockFile(path);
  ok(lock);
  lock.note("a long note");
  lock.note("short");
  equal(disk.tryLockFile(path), undefined);
  equal(disk.readText(path), "short");
  lock.release();
  disk.tryLockFile(path)?.release();
});

Deno.test("only strings are codes of the system", () => {
  equal(systemCode(Object.assign(new Error("full"), { code: "ENOSPC" })), "ENOSPC");
  equal(systemCode(Object.assign(new Error("odd"), { code: 28 })), undefined);
  equal(systemCode(new Error("plain")), undefined);
  equal(systemCode({ code: "ENOSPC" }), undefined);
});
