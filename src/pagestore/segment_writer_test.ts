import assert from "node:assert/strict";
import { systemClock } from "../core/clock.ts";
import { isGraftError } from "../core/errors.ts";
import { newGid } from "../core/gid.ts";
import { systemRandom } from "../core/random.ts";
import { bufferOf, TestPagestore } from "./_testing.ts";

/** Writes of one volume share no segment, so each of them is a put of its own. */
const WRITES = 40;

/** Begins many writes of one volume at once. @returns How many were rejected, all as unavailable. */
async function rejectedOf({ pagestore }: TestPagestore): Promise<number> {
  const vid = newGid("volume", systemClock, systemRandom);
  const ends = await Promise.allSettled(
    Array.from({ length: WRITES }, () => pagestore.openWrite().finish(vid, bufferOf({ 1: "a" }))),
  );
  const rejected = ends.filter((end) => end.status === "rejected");
  for (const { reason } of rejected) assert.ok(isGraftError(reason, "unavailable"), String(reason));
  return rejected.length;
}

Deno.test("SegmentWriter lets no write wait for the deadlines of more than a few puts", async () => {
  await using test = await TestPagestore.open();
  test.failPuts = 1000;
  assert.equal(await rejectedOf(test), WRITES);
  const puts = 1000 - test.failPuts;
  assert.ok(puts <= 8, `${puts} puts failed before the last write was told`);
  test.failPuts = 0;
  assert.equal(await rejectedOf(test), 0);
});

Deno.test("SegmentWriter does not blame those that wait for a few puts that fail", async () => {
  await using test = await TestPagestore.open();
  test.failPuts = 3;
  assert.equal(await rejectedOf(test), 3);
});
