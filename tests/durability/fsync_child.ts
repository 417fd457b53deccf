// Run under strace by fsync_test.ts: puts, replaces and deletes objects and prints a line as each call
// answers.

import { DiskStore } from "../../src/objects/disk_store.ts";

const store = await DiskStore.open(Deno.args[0]);
const body = new Uint8Array(8192).fill(7);

function answer(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`answer: ${line}\n`));
}

answer("opened");
await store.put("segments/first", body);
answer("first");
await store.put("segments/second", body);
answer("second");
await store.put("graft.json", body, { ifAbsent: true });
answer("graft.json");
await store.put("segments/large", new Uint8Array(1024 * 1024));
answer("large");
await Promise.all(["a", "b", "c", "d"].map((key) => store.put(`segments/${key}`, body)));
answer("together");
await store.delete("segments/first");
answer("deleted");
await store.close();
