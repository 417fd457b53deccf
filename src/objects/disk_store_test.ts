import { deepEqual, equal, match, ok } from "node:assert/strict";
import { testObjectStore } from "./_conformance.ts";
import { type DiskIo, systemDisk } from "./_disk_io.ts";
import {
  collect,
  diskWith,
  rejectsWith,
  sampleBytes,
  systemError,
  TemporaryDirectory,
} from "./_testing.ts";
import { DiskStore } from "./disk_store.ts";

const parent = await TemporaryDirectory.make();
let stores = 0;
Deno.test.afterAll(() => parent[Symbol.asyncDispose]());

testObjectStore("disk", () => DiskStore.open(`${parent.path}/not/there/${stores++}`));
testObjectStore(
  "disk with one open file",
  () => DiskStore.open(`${parent.path}/${stores++}`, { openFilesMax: 1 }),
);

/** A store in a directory of its own. */
async function openFresh(replaced: Partial<DiskIo> = {}, openFilesMax = 256) {
  const root = `${parent.path}/${stores++}`;
  const failures: string[] = [];
  const store = await DiskStore.open(root, {
    io: diskWith(replaced),
    openFilesMax,
    onSyncFailure(path) {
      failures.push(path);
      throw new Error("the process ends");
    },
  });
  return { root, store, failures };
}

function namesIn(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
}

Deno.test("an object is a file of its name, and no temporary file stays", async () => {
  const { root, store } = await openFresh();
  await store.put("segments/a", sampleBytes(100));
  await store.put("graft.json", sampleBytes(10), { ifAbsent: true });
  await rejectsWith(store.put("graft.json", sampleBytes(9), { ifAbsent: true }), "conflict");
  deepEqual(await Deno.readFile(`${root}/segments/a`), sampleBytes(100));
  deepEqual(namesIn(root), ["graft.json", "segments", "tmp"]);
  deepEqual(namesIn(`${root}/tmp`), []);
  await store.close();
});

Deno.test("the name of a store is its absolute path", async () => {
  const { root, store } = await openFresh();
  equal(store.name, `file:${root}`);
  await store.close();
});

Deno.test("objects are there when the store is opened again", async () => {
  const { root, store } = await openFresh();
  await store.put("segments/a", sampleBytes(100));
  await store.close();
  const again = await DiskStore.open(root);
  deepEqual(await again.getTail("segments/a", 10), {
    bytes: sampleBytes(100).slice(90),
    sizeBytes: 100,
  });
  await again.close();
});

Deno.test("temporary files that a killed process left are swept", async () => {
  const root = `${parent.path}/${stores++}`;
  await Deno.mkdir(`${root}/tmp`, { recursive: true });
  await Deno.writeFile(`${root}/tmp/0123456789ab-7`, sampleBytes(100));
  const store = await DiskStore.open(root);
  deepEqual(namesIn(`${root}/tmp`), []);
  await store.close();
});

Deno.test("temporary files stay while another process may be writing them", async () => {
  const { root, store } = await openFresh();
  await Deno.writeFile(`${root}/tmp/0123456789ab-7`, sampleBytes(100));
  const second = await DiskStore.open(root);
  const third = await DiskStore.open(root);
  equal(namesIn(`${root}/tmp`).length, 1);
  await store.close();
  await second.close();
  const fourth = await DiskStore.open(root);
  equal(namesIn(`${root}/tmp`).length, 1);
  await third.close();
  await fourth.close();
  const alone = await DiskStore.open(root);
  deepEqual(namesIn(`${root}/tmp`), []);
  await alone.close();
});

Deno.test("names that are no keys are not listed", async () => {
  const { root, store } = await openFresh();
  await store.put("segments/a", sampleBytes(10));
  await Deno.writeFile(`${root}/segments/has space`, sampleBytes(10));
  await Deno.symlink(`${root}/segments/a`, `${root}/segments/link`);
  deepEqual(await collect(store.list("")), [{ key: "segments/a", sizeBytes: 10 }]);
  deepEqual(await collect(store.list("tmp/")), []);
  await store.close();
});

Deno.test("a long listing gives other work its turns", async () => {
  let turns = 0;
  const breathe = () => {
    turns++;
    return systemDisk.breathe();
  };
  const { root, store } = await openFresh({ breathe });
  await Deno.mkdir(`${root}/segments`);
  for (let i = 0; i < 1000; i++) await Deno.create(`${root}/segments/${i}`).then((f) => f.close());
  equal((await collect(store.list("segments/"))).length, 1000);
  ok(turns >= 3, `${turns} turns`);
  await store.close();
});

for (
  const [code, graftCode, state] of [
    ["ENOSPC", "unavailable", /the disk is full/],
    ["EDQUOT", "unavailable", /the quota is used up/],
    ["EIO", "unavailable", /the disk failed/],
    ["ETXTBSY", "internal", /the system answered ETXTBSY/],
  ] as const
) {
  Deno.test(`a write that fails with ${code} is ${graftCode} and leaves nothing`, async () => {
    const { root, store } = await openFresh({ write: () => Promise.reject(systemError(code)) });
    await rejectsWith(store.put("segments/a", sampleBytes(100)), graftCode, state);
    equal(await store.head("segments/a"), undefined);
    deepEqual(namesIn(`${root}/tmp`), []);
    await store.close();
  });
}

Deno.test("a full disk at any step of a put is unavailable and leaves nothing", async () => {
  const fails = () => {
    throw systemError("ENOSPC");
  };
  const steps: Partial<DiskIo>[] = [
    { create: fails },
    { write: () => Promise.reject(systemError("ENOSPC")) },
    { syncData: () => Promise.reject(systemError("ENOSPC")) },
    { rename: fails },
    { link: fails },
  ];
  for (const step of steps) {
    const { root, store, failures } = await openFresh(step);
    const ifAbsent = "link" in step;
    await rejectsWith(store.put("graft.json", sampleBytes(9), { ifAbsent }), "unavailable");
    deepEqual(namesIn(`${root}/tmp`), []);
    equal(await store.head("graft.json"), undefined);
    deepEqual(failures, []);
    await store.close();
  }
});

Deno.test("data that fails to sync is reported by its path, and the object is not there", async () => {
  const { root, store, failures } = await openFresh({
    syncData: () => Promise.reject(systemError("EIO")),
  });
  const [outcome] = await Promise.allSettled([store.put("segments/a", sampleBytes(100))]);
  match(String(outcome.status === "rejected" && outcome.reason), /the process ends/);
  equal(failures.length, 1);
  match(failures[0], new RegExp(`^${root}/tmp/[0-9a-f]{12}-0$`));
  equal(await store.head("segments/a"), undefined);
  await store.close();
});

Deno.test("a directory that fails to sync is reported by its path", async () => {
  let fails = false;
  const { root, store, failures } = await openFresh({
    sync: (file) => fails ? Promise.reject(systemError("EIO")) : systemDisk.sync(file),
  });
  await store.put("segments/a", sampleBytes(100));
  fails = true;
  const changes = [store.put("segments/b", sampleBytes(1)), store.delete("segments/a")];
  for (const outcome of await Promise.allSettled(changes)) {
    match(String(outcome.status === "rejected" && outcome.reason), /the process ends/);
  }
  deepEqual([...new Set(failures)], [`${root}/segments`]);
  await store.close();
});

Deno.test("unless told otherwise, a failed sync names the path and ends the process", async () => {
  const root = `${parent.path}/${stores++}`;
  const program = `
    import { DiskStore } from ${JSON.stringify(new URL("disk_store.ts", import.meta.url).href)};
    import { diskWith, systemError } from ${
    JSON.stringify(new URL("_testing.ts", import.meta.url).href)
  };
    const io = diskWith({ syncData: () => Promise.reject(systemError("EIO")) });
    const store = await DiskStore.open(${JSON.stringify(root)}, { io });
    await store.put("segments/a", new Uint8Array(1)).catch(() => {});
    console.log("it went on");`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", program],
    env: { NO_COLOR: "1" },
  });
  const { code, stdout, stderr } = await child.output();
  equal(code, 1, new TextDecoder().decode(stderr));
  equal(new TextDecoder().decode(stdout), "");
  ok(new TextDecoder().decode(stderr).includes(`Cannot sync "${root}/tmp/`));
});

Deno.test("no more files stay open than allowed", async () => {
  let open = 0;
  const { store } = await openFresh({
    open(path) {
      open++;
      return systemDisk.open(path);
    },
    close(file) {
      open--;
      systemDisk.close(file);
    },
    create(path) {
      open++;
      return systemDisk.create(path);
    },
    openDirectory(path) {
      open++;
      return systemDisk.openDirectory(path);
    },
  }, 3);
  for (let i = 0; i < 10; i++) await store.put(`segments/${i}`, sampleBytes(10));
  equal(open, 0);
  for (let i = 0; i < 10; i++) await store.get(`segments/${i}`);
  equal(open, 3);
  await store.delete("segments/9");
  equal(open, 2);
  await store.put("segments/8", sampleBytes(20));
  equal(open, 1);
  await store.close();
  equal(open, 0);
});

Deno.test("small reads are synchronous and large ones are not", async () => {
  const sizes: string[] = [];
  const { store } = await openFresh({
    readSync(file, target, position) {
      sizes.push(`sync ${target.length}`);
      return systemDisk.readSync(file, target, position);
    },
    read(file, target, position) {
      sizes.push(`async ${target.length}`);
      return systemDisk.read(file, target, position);
    },
  });
  await store.put("segments/a", sampleBytes(300_000));
  await store.getRange("segments/a", 0, 262_144);
  await store.getRange("segments/a", 0, 262_145);
  deepEqual(sizes, ["sync 262144", "async 262145"]);
  await store.close();
});

Deno.test("a large read that is given up rejects, though the disk has answered", async () => {
  const controller = new AbortController();
  const { store } = await openFresh({
    read(file, target, position) {
      controller.abort();
      return systemDisk.read(file, target, position);
    },
  });
  await store.put("segments/a", sampleBytes(300_000));
  await rejectsWith(store.get("segments/a", { signal: controller.signal }), "aborted");
  equal((await store.get("segments/a")).length, 300_000);
  await store.close();
});

Deno.test("a file that shrinks under an open handle is damage, not zeros", async () => {
  const { root, store } = await openFresh();
  for (const length of [1000, 300_000]) {
    await store.put("segments/a", sampleBytes(length));
    await store.getRange("segments/a", 0, 1);
    await Deno.truncate(`${root}/segments/a`, 500);
    await rejectsWith(store.get("segments/a"), "damaged", /500 bytes/);
  }
  await store.close();
});

Deno.test("a key and its folder exclude each other", async () => {
  const { store } = await openFresh();
  await store.put("a/b", sampleBytes(10));
  await rejectsWith(store.put("a", sampleBytes(10)), "unavailable");
  await rejectsWith(store.put("a/b/c", sampleBytes(10)), "unavailable");
  deepEqual(await collect(store.list("")), [{ key: "a/b", sizeBytes: 10 }]);
  await store.close();
});

Deno.test("a folder that is removed under the store is reported", async () => {
  const { root, store } = await openFresh();
  await store.put("segments/a", sampleBytes(10));
  await Deno.remove(`${root}/segments`, { recursive: true });
  await rejectsWith(store.put("segments/b", sampleBytes(10)), "unavailable", /folder .* is gone/);
  await store.close();
});

Deno.test("a store that cannot be made says why", async () => {
  const file = `${parent.path}/${stores++}`;
  await Deno.writeTextFile(file, "not a directory");
  await rejectsWith(DiskStore.open(file), "unavailable", new RegExp(`"${file}"`));
  await rejectsWith(DiskStore.open(`${file}/below`), "unavailable", new RegExp(`"${file}/below"`));
});
