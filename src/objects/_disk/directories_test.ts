import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { ModelDisk, systemError } from "../../../tests/faults/objects_model_disk.ts";
import { Directories } from "./directories.ts";

/** A disk whose syncs end when the test says so. */
class GatedDisk extends ModelDisk {
  /** Syncs under way or over, in order. */
  readonly begun: PromiseWithResolvers<void>[] = [];
  gated = false;
  readonly #paths = new Map<number, string>();
  /** The directories that were synced, in order. */
  readonly synced: string[] = [];

  override openDirectory(path: string): number {
    const file = super.openDirectory(path);
    this.#paths.set(file, path);
    return file;
  }

  override async sync(file: number): Promise<void> {
    this.synced.push(this.#paths.get(file)!);
    if (this.gated) {
      const gate = Promise.withResolvers<void>();
      this.begun.push(gate);
      await gate.promise;
    }
    await super.sync(file);
  }
}

function unexpected(path: string, error: unknown): never {
  throw new Error(`an unexpected failure of ${path}: ${error}`);
}

async function openOn(disk: ModelDisk, onSyncFailure = unexpected): Promise<Directories> {
  return await Directories.open(disk, "/data/store", onSyncFailure);
}

/** Lets all microtasks run. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

Deno.test("opening makes the root and all above it, each synced into its parent", async () => {
  const disk = new GatedDisk();
  await openOn(disk);
  equal(disk.stat("/data/store")?.kind, "directory");
  deepEqual(disk.synced, ["/", "/data", "/data/store"]);
  equal(disk.openCount, 0);
});

Deno.test("a root that is there is synced with its parent", async () => {
  const disk = new GatedDisk();
  disk.makeDirectory("/data");
  disk.makeDirectory("/data/store");
  await openOn(disk);
  deepEqual(disk.synced, ["/data/store", "/data"]);
});

Deno.test("a parent that may not be opened is no hindrance, if the root is there", async () => {
  class ClosedDisk extends GatedDisk {
    override openDirectory(path: string): number {
      if (path === "/data") throw systemError("EACCES");
      return super.openDirectory(path);
    }
  }
  const disk = new ClosedDisk();
  disk.makeDirectory("/data");
  await rejects(openOn(disk), { code: "EACCES" });
  await openOn(disk);
});

Deno.test("settling makes directories once and syncs each into its parent", async () => {
  const disk = new GatedDisk();
  const directories = await openOn(disk);
  disk.synced.length = 0;
  equal(directories.isSettled("/data/store/a/b"), false);
  const settled = ["/data/store/a/b", "/data/store/a", "/data/store/a/b"].map((path) =>
    directories.settle(path, true)
  );
  deepEqual(await Promise.all(settled), [true, true, true]);
  deepEqual(disk.synced, ["/data/store", "/data/store/a", "/data/store/a", "/data/store/a/b"]);
  equal(directories.isSettled("/data/store/a/b"), true);
  await directories.settle("/data/store/a/b", true);
  equal(disk.synced.length, 4);
});

Deno.test("settling what is not there makes nothing unless told", async () => {
  const disk = new GatedDisk();
  const directories = await openOn(disk);
  equal(await directories.settle("/data/store/a/b", false), false);
  equal(disk.stat("/data/store/a"), undefined);
  const both = [false, true].map((make) => directories.settle("/data/store/a", make));
  deepEqual(await Promise.all(both), [false, true]);
  equal(await directories.settle("/data/store/a", false), true);
});

Deno.test("a file is no directory to settle", async () => {
  const disk = new GatedDisk();
  const directories = await openOn(disk);
  disk.close(disk.create("/data/store/a"));
  equal(await directories.settle("/data/store/a", false), false);
  await rejects(directories.settle("/data/store/a", true), { code: "EEXIST" });
  await rejects(directories.settle("/data/store/a", true), { code: "EEXIST" });
});

Deno.test("what is outside the root is a bug", async () => {
  const directories = await openOn(new ModelDisk());
  await rejects(directories.settle("/elsewhere", true), { name: "AssertionError" });
});

Deno.test("syncs that wait together are one, and begin after the one under way", async () => {
  const disk = new GatedDisk();
  const directories = await openOn(disk);
  disk.gated = true;
  const ended: string[] = [];
  const sync = (name: string) => directories.sync("/data/store").then(() => ended.push(name));
  const first = sync("first");
  const rest = ["second", "third", "fourth"].map(sync);
  await settle();
  equal(disk.begun.length, 1);
  disk.begun[0].resolve();
  await first;
  await settle();
  deepEqual([disk.begun.length, ended], [2, ["first"]]);
  const late = sync("late");
  disk.begun[1].resolve();
  await Promise.all(rest);
  await settle();
  deepEqual([disk.begun.length, ended], [3, ["first", "second", "third", "fourth"]]);
  disk.begun[2].resolve();
  await late;
  await settle();
  directories.sync("/data/store");
  equal(disk.begun.length, 4);
});

Deno.test("directories do not wait for each other", async () => {
  const disk = new GatedDisk();
  const directories = await openOn(disk);
  await directories.settle("/data/store/a", true);
  disk.gated = true;
  const syncs = ["/data/store", "/data/store/a"].map((path) => directories.sync(path));
  equal(disk.begun.length, 2);
  for (const gate of disk.begun) gate.resolve();
  await Promise.all(syncs);
});

Deno.test("a failed sync is reported with its path, and whoever waits behind it syncs anew", async () => {
  const disk = new GatedDisk();
  const failures: string[] = [];
  const directories = await openOn(disk, (path, error) => {
    failures.push(`${path} ${error instanceof Error && error.message}`);
    throw new Error("the process ends");
  });
  disk.gated = true;
  const [first, second] = [directories.sync("/data/store"), directories.sync("/data/store")];
  disk.begun[0].reject(new Error("it broke"));
  await rejects(first, /the process ends/);
  await settle();
  disk.begun[1].resolve();
  await second;
  deepEqual(failures, ["/data/store it broke"]);
  equal(disk.openCount, 0);
});

Deno.test("a directory that cannot be opened is an error, not a failed sync", async () => {
  const directories = await openOn(new ModelDisk());
  await rejects(directories.sync("/data/store/none"), { code: "ENOENT" });
  ok(!directories.isSettled("/data/store/none"));
});
