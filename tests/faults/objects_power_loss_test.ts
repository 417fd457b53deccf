// Every moment of some work on a disk store is tried as the moment of a power failure: what was
// acknowledged is there, what was not is whole or absent, and nothing half-written is ever seen.

import { deepEqual, equal, ok } from "node:assert/strict";
import { isGraftError } from "../../src/core/errors.ts";
import { rejectsWith, sampleBytes } from "../../src/objects/_testing.ts";
import type { DiskIo } from "../../src/objects/_disk_io.ts";
import { DiskStore } from "../../src/objects/disk_store.ts";
import { type Loss, ModelDisk, type Step, systemError } from "./objects_model_disk.ts";

const LOSSES: readonly Loss[] = ["all is lost", "names stay", "all stays", "chance decides"];
const ROOT = "/data/store";

/** A change that the work makes to one key; no version is absence. */
interface Change {
  readonly key: string;
  readonly version: number | undefined;
}

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function bodyOf({ key, version }: Change): Uint8Array<ArrayBuffer> {
  return sampleBytes(key.length * 100 + (version ?? 0), version);
}

function openOn(disk: DiskIo): Promise<DiskStore> {
  return DiskStore.open(ROOT, { io: disk, onSyncFailure: failSync });
}

function failSync(path: string): never {
  throw new Error(`a sync of ${path} failed`);
}

/** Makes one change, noting when it begins and when it is acknowledged. */
async function make(store: DiskStore, disk: ModelDisk, change: Change, ifAbsent: boolean) {
  const note = JSON.stringify(change);
  disk.note(`begun ${note}`);
  if (change.version === undefined) await store.delete(change.key);
  else await store.put(change.key, bodyOf(change), { ifAbsent });
  disk.note(`done ${note}`);
}

/** Puts, replacements and deletions of several keys at once, those of one key in order. */
async function work(disk: ModelDisk): Promise<void> {
  const store = await openOn(disk);
  const keys = ["graft.json", "segments/a", "segments/b", "segments/c", "manifests/deep/a"];
  await Promise.all(keys.map(async (key, i) => {
    await make(store, disk, { key, version: 1 }, i % 2 === 0);
    if (i === 1 || i === 4) await make(store, disk, { key, version: 2 }, false);
    if (i === 2 || i === 4) await make(store, disk, { key, version: undefined }, false);
    if (i === 2) await make(store, disk, { key, version: 3 }, true);
  }));
  await store.close();
}

function notesOf(steps: readonly Step[], kind: "begun" | "done"): Change[] {
  return steps.flatMap((step) =>
    step.kind === "note" && step.note.startsWith(kind)
      ? [JSON.parse(step.note.slice(kind.length + 1)) as Change]
      : []
  );
}

/** What a key may hold: what was acknowledged last, or anything that was begun since. */
function allowed(steps: readonly Step[], key: string): Change[] {
  const begun = notesOf(steps, "begun").filter((change) => change.key === key);
  const done = notesOf(steps, "done").filter((change) => change.key === key);
  const absent: Change = { key, version: undefined };
  return [absent, ...begun].slice(done.length);
}

async function bytesOf(store: DiskStore, key: string): Promise<Uint8Array | undefined> {
  try {
    return await store.get(key);
  } catch (error) {
    ok(isGraftError(error, "missing"), String(error));
    return undefined;
  }
}

function isSame(bytes: Uint8Array | undefined, change: Change): boolean {
  if (bytes === undefined || change.version === undefined) return change.version === bytes;
  const body = bodyOf(change);
  return bytes.length === body.length && bytes.every((byte, i) => byte === body[i]);
}

async function check(disk: ModelDisk, steps: readonly Step[], moment: string): Promise<void> {
  const store = await openOn(disk);
  const seen: string[] = [];
  for (const key of new Set(notesOf(steps, "begun").map((change) => change.key))) {
    const bytes = await bytesOf(store, key);
    const choices = allowed(steps, key);
    ok(
      choices.some((change) => isSame(bytes, change)),
      `${moment}: ${key} has ${bytes?.length} bytes; allowed: ${JSON.stringify(choices)}`,
    );
    if (bytes !== undefined) seen.push(key);
  }
  const listed: string[] = [];
  for await (const { key } of store.list("")) listed.push(key);
  deepEqual(listed, seen.sort(), moment);
  deepEqual(await disk.list(`${ROOT}/tmp`), [], moment);
  await store.close();
}

for (const seed of [1, 2, 3]) {
  Deno.test(`a power failure at any moment loses nothing acknowledged (seed ${seed})`, async () => {
    const chance = chanceOf(seed);
    const disk = new ModelDisk();
    disk.turnsOfSync = () => 1 + Math.floor(chance() * 20);
    await work(disk);
    ok(disk.steps.length > 100);
    equal(notesOf(disk.steps, "done").length, 10);
    for (let moment = 0; moment <= disk.steps.length; moment++) {
      const steps = disk.steps.slice(0, moment);
      for (const loss of LOSSES) {
        const left = ModelDisk.after(steps).powerFails(loss, chance);
        await check(left, steps, `after step ${moment}, ${loss}`);
      }
    }
  });
}

Deno.test("what a process reads that follows a killed one survives a power failure", async () => {
  const disk = new ModelDisk();
  await work(disk);
  for (let moment = 0; moment <= disk.steps.length; moment++) {
    const steps = disk.steps.slice(0, moment);
    const after = ModelDisk.after(steps);
    const store = await openOn(after);
    const read = new Map<string, Uint8Array>();
    for (const { key } of notesOf(steps, "begun")) {
      const bytes = await bytesOf(store, key);
      if (bytes !== undefined) read.set(key, bytes);
    }
    const reopened = await openOn(after.powerFails("all is lost", Math.random));
    for (const [key, bytes] of read) {
      deepEqual(await bytesOf(reopened, key), bytes, `after step ${moment}: ${key}`);
    }
  }
});

Deno.test("what a process lists that follows a killed one survives a power failure", async () => {
  const disk = new ModelDisk();
  await work(disk);
  for (let moment = 0; moment <= disk.steps.length; moment++) {
    const after = ModelDisk.after(disk.steps.slice(0, moment));
    const store = await openOn(after);
    const listed: string[] = [];
    for await (const { key } of store.list("")) listed.push(key);
    const reopened = await openOn(after.powerFails("all is lost", Math.random));
    const left: string[] = [];
    for await (const { key } of reopened.list("")) left.push(key);
    deepEqual(left, listed, `after step ${moment}`);
  }
});

Deno.test("a key that is refused as taken is taken for good", async () => {
  const disk = new ModelDisk();
  const store = await openOn(disk);
  await store.put("segments/first", sampleBytes(1));
  disk.turnsOfSync = () => 50;
  const first = store.put("segments/a", sampleBytes(100, 1));
  while (await store.head("segments/a") === undefined) await Promise.resolve();
  await rejectsWith(store.put("segments/a", sampleBytes(9), { ifAbsent: true }), "conflict");
  const left = await openOn(disk.powerFails("all is lost", Math.random));
  deepEqual(await left.get("segments/a"), sampleBytes(100, 1));
  await first;
});

Deno.test("a deletion of what is gone already is as durable as one of what is there", async () => {
  const disk = new ModelDisk();
  const store = await openOn(disk);
  await store.put("segments/a", sampleBytes(100));
  disk.turnsOfSync = () => 50;
  const first = store.delete("segments/a");
  while (await store.head("segments/a") !== undefined) await Promise.resolve();
  await store.delete("segments/a");
  const left = await openOn(disk.powerFails("all is lost", Math.random));
  equal(await left.head("segments/a"), undefined);
  await first;
});

/** A disk on which a directory's sync fails when told. */
class FailingDisk extends ModelDisk {
  fails = false;

  override syncData(file: number): Promise<void> {
    return super.sync(file);
  }

  override sync(file: number): Promise<void> {
    return this.fails ? Promise.reject(systemError("EIO")) : super.sync(file);
  }
}

Deno.test("nothing is acknowledged by a sync that failed", async () => {
  const disk = new FailingDisk();
  const failures: string[] = [];
  const store = await DiskStore.open(ROOT, {
    io: disk,
    onSyncFailure(path) {
      failures.push(path);
      throw new Error("the process ends");
    },
  });
  await store.put("segments/a", sampleBytes(100));
  disk.fails = true;
  const calls = [
    store.put("segments/b", sampleBytes(100)),
    store.put("segments/a", sampleBytes(100), { ifAbsent: true }),
    store.delete("segments/a"),
    store.put("manifests/a", sampleBytes(100)),
  ];
  const outcomes = await Promise.allSettled(calls);
  deepEqual(outcomes.map(({ status }) => status), calls.map(() => "rejected"));
  deepEqual([...new Set(failures)].sort(), [ROOT, `${ROOT}/segments`]);
});
