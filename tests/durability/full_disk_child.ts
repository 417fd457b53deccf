// Run by full_disk_test.ts in a namespace where its directory is a small tmpfs: fills the disk, and says
// as JSON what happened.

import { isGraftError } from "../../src/core/errors.ts";
import { DiskStore } from "../../src/objects/disk_store.ts";

const [root] = Deno.args;
const OBJECT_BYTES = 300_000;

/** The code of the error, or `done`. */
async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "done";
  } catch (error) {
    return isGraftError(error) ? error.code : String(error);
  }
}

function bodyOf(i: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(OBJECT_BYTES).fill(i + 1);
}

async function isWhole(store: DiskStore, i: number): Promise<boolean> {
  const bytes = await store.get(`segments/${i}`);
  return bytes.length === OBJECT_BYTES && bytes.every((byte) => byte === i + 1);
}

async function keysOf(store: DiskStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list("segments/")) keys.push(key);
  return keys;
}

function temporaryFiles(): number {
  return [...Deno.readDirSync(`${root}/tmp`)].length;
}

const store = await DiskStore.open(root);
let stored = 0;
let refused = "";
while (refused === "" && stored < 100) {
  const outcome = await outcomeOf(store.put(`segments/${stored}`, bodyOf(stored)));
  if (outcome === "done") stored++;
  else refused = outcome;
}

const report = {
  stored,
  refused,
  refusedAgain: await outcomeOf(store.put("segments/again", bodyOf(0))),
  refusedAtOnce: await Promise.all(
    ["a", "b"].map((key) => outcomeOf(store.put(`segments/${key}`, bodyOf(0)))),
  ),
  refusedReplacement: await outcomeOf(store.put("segments/0", bodyOf(9))),
  refusedIfAbsent: await outcomeOf(store.put("graft.json", bodyOf(0), { ifAbsent: true })),
  keysWhileFull: (await keysOf(store)).length,
  temporaryFilesWhileFull: temporaryFiles(),
  wholeWhileFull: (await Promise.all(Array.from({ length: stored }, (_, i) => isWhole(store, i))))
    .every(Boolean),
  deleted: await outcomeOf(store.delete("segments/1")),
  storedAgain: await outcomeOf(store.put("segments/1", bodyOf(1))),
  wholeAgain: await isWhole(store, 1),
  temporaryFiles: temporaryFiles(),
};
await store.close();
console.log(JSON.stringify(report));
