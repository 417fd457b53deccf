import { deepEqual, equal, rejects } from "node:assert/strict";
import { ModelDisk } from "../../../tests/faults/objects_model_disk.ts";
import { type OpenFile, OpenFiles } from "./open_files.ts";

async function diskWithFiles(names: readonly string[]): Promise<ModelDisk> {
  const disk = new ModelDisk();
  for (const name of names) {
    const file = disk.create(`/${name}`);
    await disk.write(file, new TextEncoder().encode(name));
    disk.close(file);
  }
  return disk;
}

/** Reads all of a file. */
function readFrom(disk: ModelDisk): (file: OpenFile) => string {
  return ({ file, sizeBytes }) => {
    const bytes = new Uint8Array(sizeBytes);
    disk.readSync(file, bytes, 0);
    return new TextDecoder().decode(bytes);
  };
}

Deno.test("a file stays open between reads", async () => {
  const disk = await diskWithFiles(["first"]);
  const files = new OpenFiles(disk, 2);
  equal(files.has("/first"), false);
  const descriptors = [];
  for (let i = 0; i < 3; i++) descriptors.push(await files.use("/first", ({ file }) => file));
  equal(new Set(descriptors).size, 1);
  deepEqual([files.has("/first"), files.count, disk.openCount], [true, 1, 1]);
});

Deno.test("the one not read for longest is closed for another", async () => {
  const disk = await diskWithFiles(["a", "b", "c"]);
  const files = new OpenFiles(disk, 2);
  for (const path of ["/a", "/b", "/a", "/c"]) await files.use(path, () => {});
  deepEqual(["/a", "/b", "/c"].map((path) => files.has(path)), [true, false, true]);
  equal(disk.openCount, 2);
});

Deno.test("a file that is closed for another stays readable to its readers", async () => {
  const disk = await diskWithFiles(["first", "second"]);
  const files = new OpenFiles(disk, 1);
  const gate = Promise.withResolvers<void>();
  const slow = files.use("/first", async (file) => {
    await gate.promise;
    return readFrom(disk)(file);
  });
  equal(await files.use("/second", readFrom(disk)), "second");
  deepEqual([files.has("/first"), disk.openCount], [false, 2]);
  gate.resolve();
  equal(await slow, "first");
  equal(disk.openCount, 1);
});

Deno.test("a dropped file is closed after its last reader, and opened anew", async () => {
  const disk = await diskWithFiles(["first", "new"]);
  const files = new OpenFiles(disk, 2);
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const slow = gates.map(({ promise }) =>
    files.use("/first", async (file) => {
      await promise;
      return readFrom(disk)(file);
    })
  );
  disk.rename("/new", "/first");
  files.drop("/first");
  equal(await files.use("/first", readFrom(disk)), "new");
  equal(disk.openCount, 2);
  gates[0].resolve();
  equal(await slow[0], "first");
  equal(disk.openCount, 2);
  gates[1].resolve();
  equal(await slow[1], "first");
  equal(disk.openCount, 1);
});

Deno.test("a read that fails leaves its file to the others", async () => {
  const disk = await diskWithFiles(["first"]);
  const files = new OpenFiles(disk, 2);
  await rejects(files.use("/first", () => Promise.reject(new Error("broken"))), /broken/);
  equal(await files.use("/first", readFrom(disk)), "first");
  files.clear();
  equal(disk.openCount, 0);
});

Deno.test("what is not there is the disk's error, and is not kept", async () => {
  const files = new OpenFiles(new ModelDisk(), 2);
  await rejects(files.use("/none", () => {}), { code: "ENOENT" });
  equal(files.count, 0);
  files.drop("/none");
});

Deno.test("clearing closes what nobody reads", async () => {
  const disk = await diskWithFiles(["a", "b"]);
  const files = new OpenFiles(disk, 2);
  const gate = Promise.withResolvers<void>();
  const slow = files.use("/a", () => gate.promise);
  await files.use("/b", () => {});
  files.clear();
  deepEqual([files.count, disk.openCount], [0, 1]);
  gate.resolve();
  await slow;
  equal(disk.openCount, 0);
});
