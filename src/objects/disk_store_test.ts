import { deepEqual, equal, ok } from "node:assert/strict";
import { collect, rejectsWith, sampleBytes, testObjectStore } from "./_conformance.ts";
import { DiskStore } from "./disk_store.ts";
import { systemDisk } from "./_disk_io.ts";
import type { DiskIo } from "./_disk_io.ts";

const parents: string[] = [];

async function freshDirectory(): Promise<string> {
  const parent = await Deno.makeTempDir({ prefix: "graft-objects-" });
  parents.push(parent);
  return `${parent}/a/store`;
}

testObjectStore("disk", async () => await DiskStore.open(await freshDirectory()));
