import assert from "node:assert/strict";
import { GatheredReads } from "./_gathered_reads.ts";

Deno.test("reads of one turn are one, each pack once", async () => {
  const read: (readonly number[])[] = [];
  const reads = new GatheredReads((ids) => {
    read.push(ids);
    return Promise.resolve(ids.map((id) => id === 9 ? undefined : Uint8Array.of(id)));
  });
  const packs = await Promise.all([1, 2, 1, 9].map((id) => reads.get(id)));
  assert.deepEqual(packs, [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(1), undefined]);
  await reads.get(1);
  assert.deepEqual(read, [[1, 2, 9], [1]]);
});

Deno.test("a read that fails fails for all who asked, and no others", async () => {
  let failures = 1;
  const reads = new GatheredReads((ids) =>
    failures-- > 0 ? Promise.reject(new Error("gone")) : Promise.resolve(ids.map(() => undefined))
  );
  const outcomes = await Promise.allSettled([reads.get(1), reads.get(2)]);
  assert.deepEqual(outcomes.map(({ status }) => status), ["rejected", "rejected"]);
  assert.equal(await reads.get(1), undefined);
});
