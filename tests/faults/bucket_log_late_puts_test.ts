// What becomes of a bucket log's promises when a put arrives after its answer was given up.

import { deepEqual, equal, ok } from "node:assert/strict";
import { clientIdFromName } from "../../src/core/gid.ts";
import { toPageCount } from "../../src/core/page.ts";
import { systemTimers } from "../../src/core/timers.ts";
import {
  commit,
  headOf,
  newVolume,
  recordAfter,
  recordsOf,
  rejectsWith,
  tryCommit,
} from "../../src/log/_testing.ts";
import { openBucket, TestClock } from "../../src/log/bucket/_testing.ts";
import { MemoryStore } from "../../src/objects/memory_store.ts";
import { FaultyStore } from "./objects_faulty_store.ts";
import { BEFORE, committerOf, onEach } from "./bucket_log_support.ts";

/** A store that lets a put wait until after its answer was given up. */
class LatePuts extends FaultyStore {
  /** Whether the next puts are held back. */
  isHolding = false;
  readonly #held: (() => Promise<void>)[] = [];

  override putDated(key: string, body: Uint8Array<ArrayBuffer>, dateMs: number): Promise<void> {
    const put = () => super.putDated(key, body, dateMs);
    if (!this.isHolding) return put();
    this.#held.push(put);
    this.plan = onEach("putDated", BEFORE);
    return put();
  }

  /** Lets them go; what they meet is nobody's to hear. */
  async release(): Promise<void> {
    for (const put of this.#held.splice(0)) await put().catch(() => {});
  }
}

/** Two logs of one bucket, one of them behind a store that puts late. */
async function openLate() {
  const clock = new TestClock();
  const inner = new MemoryStore(clock);
  const store = new LatePuts(inner, systemTimers);
  const [late, other] = [await openBucket(store, { clock }), await openBucket(inner, { clock })];
  const committer = committerOf(late, clock);
  return { clock, store, late, other, committer };
}

Deno.test("a put that comes late is its commit's, or comes to nothing", async () => {
  const { store, late, other } = await openLate();
  const vid = newVolume();
  await commit(late, vid);
  store.isHolding = true;
  const base = await late.head(vid);
  const record = recordAfter(vid, base);
  await rejectsWith(late.append(record, base, null), "unavailable");
  store.isHolding = false;
  // another is faster
  const faster = await commit(other, vid);
  await store.release();
  deepEqual(await recordsOf(other, vid, 2, 9), [faster]);
  // or nobody is
  store.isHolding = true;
  const next = await late.head(vid);
  const slow = recordAfter(vid, next);
  await rejectsWith(late.append(slow, next, null), "unavailable");
  store.isHolding = false;
  await store.release();
  deepEqual(await recordsOf(other, vid, 3, 9), [slow]);
  deepEqual((await late.head(vid)).head, headOf(slow));
});

Deno.test("a put that lands while the same commit is tried again is no conflict", async () => {
  const { clock, store, late, committer } = await openLate();
  const vid = newVolume();
  store.isHolding = true;
  const plan = store.plan;
  // the head is read after the first attempt; then the first put lands, before the second
  let lists = 0;
  const listing = store.list.bind(store);
  store.list = async function* (prefix, options) {
    yield* listing(prefix, options);
    if (++lists === 2) {
      store.isHolding = false;
      store.plan = plan;
      await store.release();
      // so that the second put is not the very same object
      clock.advance(1);
    }
  };
  const cid = clientIdFromName("client");
  const request = { vid, cid, snapshotLsn: undefined, pageCount: toPageCount(7), segments: [] };
  equal((await committer.commit(request)).record.lsn, 1);
  ok(lists > 2, `${lists}`);
  equal((await recordsOf(late, vid, 1, 9)).length, 1);
});

Deno.test("a put that comes more than 15 minutes late is refused, whatever is there", async () => {
  const { clock, store, late, other } = await openLate();
  const vid = newVolume();
  store.isHolding = true;
  await rejectsWith(tryCommit(late, vid), "unavailable");
  store.isHolding = false;
  clock.advance(15 * 60_000 + 1);
  await store.release();
  equal((await other.head(vid)).head, undefined);
  equal((await commit(late, vid)).lsn, 1);
});
