import assert from "node:assert/strict";
import { sampleBytes } from "./_testing.ts";
import type { Durability, RowChanges } from "./_rows.ts";
import { WriteQueue } from "./_write_queue.ts";

interface Applied {
  readonly keys: string[];
  readonly durability: Durability;
  readonly end: PromiseWithResolvers<void>;
}

/** A queue whose writes end when the test says so. */
function makeQueue(): { queue: WriteQueue; applied: Applied[] } {
  const applied: Applied[] = [];
  const queue = new WriteQueue((changes: RowChanges, durability) => {
    const end = Promise.withResolvers<void>();
    applied.push({ keys: [...changes.keys()], durability, end });
    return end.promise;
  });
  return { queue, applied };
}

async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

const put = (key: string, bytes = 1) => ({ put: [[key, sampleBytes(bytes)] as const] });

Deno.test("batches that wait together are written together, one group at a time", async () => {
  const { queue, applied } = makeQueue();
  const writes = [queue.write(put("a")), queue.write(put("b"))];
  await turns();
  writes.push(queue.write(put("c")), queue.write(put("a")), queue.write({ delete: ["d"] }));
  await turns();
  assert.deepEqual(applied.map(({ keys }) => keys), [["a", "b"]]);
  applied[0].end.resolve();
  await turns();
  assert.deepEqual(applied.map(({ keys }) => keys), [["a", "b"], ["c", "a", "d"]]);
  applied[1].end.resolve();
  await Promise.all(writes);
});

Deno.test("a group is relaxed only if all of its batches are", async () => {
  const { queue, applied } = makeQueue();
  const relaxed = { durability: "relaxed" } as const;
  const first = [
    queue.write({ ...put("a"), ...relaxed }),
    queue.write({ ...put("b"), ...relaxed }),
  ];
  await turns();
  const second = [queue.write({ ...put("c"), ...relaxed }), queue.write(put("d"))];
  applied[0].end.resolve();
  await turns();
  applied[1].end.resolve();
  await Promise.all([...first, ...second]);
  assert.deepEqual(applied.map(({ durability }) => durability), ["relaxed", "strict"]);
});

Deno.test("a group ends at 8 MiB", async () => {
  const { queue, applied } = makeQueue();
  const megabyte = 1024 * 1024;
  const writes = Array.from({ length: 10 }, (_, i) => queue.write(put(`${i}`, megabyte)));
  await turns();
  applied[0].end.resolve();
  await turns();
  applied[1].end.resolve();
  await Promise.all(writes);
  assert.deepEqual(applied.map(({ keys }) => keys.length), [8, 2]);
});

Deno.test("a batch above 8 MiB is a group of its own", async () => {
  const { queue, applied } = makeQueue();
  const large = Array.from({ length: 9 }, (_, i) => [`${i}`, sampleBytes(1024 * 1024)] as const);
  const writes = [queue.write({ put: large }), queue.write(put("a"))];
  await turns();
  applied[0].end.resolve();
  await turns();
  applied[1].end.resolve();
  await Promise.all(writes);
  assert.deepEqual(applied.map(({ keys }) => keys.length), [9, 1]);
});

Deno.test("a row on its way is read until it has arrived", async () => {
  const { queue, applied } = makeQueue();
  const first = queue.write(put("a", 1));
  await turns();
  const second = queue.write({ delete: ["a"] });
  assert.deepEqual(queue.pending("a")?.value, undefined);
  applied[0].end.resolve();
  await first;
  assert.ok(queue.pending("a") !== undefined, "the later batch is still on its way");
  await turns();
  applied[1].end.resolve();
  await second;
  assert.equal(queue.pending("a"), undefined);
});

Deno.test("a failure takes along what was called before it was told, and no more", async () => {
  const { queue, applied } = makeQueue();
  const failed = [queue.write(put("a"))];
  await turns();
  failed.push(queue.write(put("b")));
  applied[0].end.reject(new Error("full"));
  for (const outcome of await Promise.allSettled(failed)) {
    assert.ok(outcome.status === "rejected" && outcome.reason.message === "full");
  }
  assert.equal(queue.pending("a"), undefined);
  assert.equal(queue.pending("b"), undefined);
  const later = queue.write(put("c"));
  await turns();
  assert.deepEqual(applied.map(({ keys }) => keys), [["a"], ["c"]]);
  applied[1].end.resolve();
  await later;
});

Deno.test("closing waits for what is on its way, and takes no more", async () => {
  const { queue, applied } = makeQueue();
  const written = queue.write(put("a"));
  let isClosed = false;
  const closing = queue.close().then(() => isClosed = true);
  await turns();
  assert.equal(isClosed, false);
  assert.throws(() => queue.write(put("b")), /A closed storage is written to/);
  applied[0].end.resolve();
  await Promise.all([written, closing]);
});
