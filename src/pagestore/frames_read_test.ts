import assert from "node:assert/strict";
import { pageHash } from "../core/content_digest.ts";
import { isGraftError } from "../core/errors.ts";
import { newGid, type VolumeId } from "../core/gid.ts";
import { PAGE_SIZE } from "../core/limits.ts";
import { systemClock } from "../core/clock.ts";
import { toLsn } from "../core/lsn.ts";
import { PageSet } from "../core/page_set.ts";
import { systemRandom } from "../core/random.ts";
import { segmentKey } from "../objects/object_store.ts";
import { WasmCodec } from "../segment/codecs/wasm_codec.ts";
import type { PageFrame } from "../wire/v1/mod.ts";
import { TestPagestore } from "./_testing.ts";

const codec = new WasmCodec();
const newVolume = (): VolumeId => newGid("volume", systemClock, systemRandom);

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function texts(indexes: readonly number[], text: string): Record<number, string> {
  return Object.fromEntries(indexes.map((idx) => [idx, `${text} ${idx}`]));
}

function textOf(page: Uint8Array): string {
  return new TextDecoder().decode(page.subarray(0, page.indexOf(0)));
}

/** The pages of a frame that its mask lets pass. */
function unpack({ indexes, mask, stored }: PageFrame): Record<number, string> {
  const raw = codec.decompress(stored.subarray(indexes.length * 8), indexes.length * PAGE_SIZE);
  const pages: Record<number, string> = {};
  for (const [i, pageIdx] of indexes.entries()) {
    if (mask >> i & 1) pages[pageIdx] = textOf(raw.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE));
  }
  return pages;
}

async function readFrames(store: TestPagestore, vid: VolumeId, lsn: number, wanted: PageSet) {
  const { frames, rest } = await store.pagestore.readFrames(vid, toLsn(lsn), wanted);
  const pages = Array.from(rest.indexes, (pageIdx, i) => [pageIdx, textOf(rest.page(i))]);
  return { whole: frames.map(unpack), rest: Object.fromEntries(pages) };
}

Deno.test("Pagestore.readFrames leaves frames as they are stored where half of them is wanted", async () => {
  await using store = await TestPagestore.open();
  const vid = newVolume();
  await store.writeAndCommit(vid, 40, texts(range(1, 40), "first"));
  await store.writeAndCommit(vid, 40, texts([2, 3, 35], "second"));
  await store.writeAndCommit(vid, 40, texts(range(17, 32), "third"));
  for (const cold of [false, true]) {
    if (cold) store.reopenCaches();
    const wanted = PageSet.union([{ first: 1, last: 10 }, PageSet.from([20, 34, 50])]);
    assert.deepEqual(await readFrames(store, vid, 2, wanted), {
      whole: [texts([1, ...range(4, 16)], "first"), texts([2, 3, 35], "second")],
      rest: texts([20, 34], "first"),
    });
    assert.deepEqual(await readFrames(store, vid, 1, PageSet.range(33, 36)), {
      whole: [texts(range(33, 40), "first")],
      rest: {},
    });
    // one page short of a half
    assert.deepEqual(await readFrames(store, vid, 1, PageSet.range(1, 7)), {
      whole: [],
      rest: texts(range(1, 7), "first"),
    });
  }
});

Deno.test("Pagestore.readFrames reads neighbouring frames with one request", async () => {
  await using store = await TestPagestore.open();
  const vid = newVolume();
  await store.writeAndCommit(vid, 1024, texts(range(1, 1024), "x"));
  store.reopenCaches();
  const { whole } = await readFrames(store, vid, 1, PageSet.range(1, 1024));
  assert.equal(whole.length, 64);
  assert.deepEqual(store.requests, { tail: 1, range: 1 });
});

Deno.test("Pagestore.readFrames never serves a stored frame that was damaged", async () => {
  await using store = await TestPagestore.open();
  const vid = newVolume();
  const [{ sid }] = await store.writeAndCommit(vid, 2, texts([1, 2], "x"));
  const key = segmentKey(sid);
  const bytes = (await store.objects.get(key)).slice();
  bytes[60] ^= 1;
  await store.objects.delete(key);
  await store.objects.put(key, bytes);
  store.reopenCaches();
  await assert.rejects(
    store.pagestore.readFrames(vid, toLsn(1), PageSet.range(1, 2)),
    (error) => isGraftError(error, "damaged"),
  );
});

Deno.test("Pagestore.read knows the hash that each page was written with", async () => {
  await using store = await TestPagestore.open();
  const vid = newVolume();
  await store.writeAndCommit(vid, 2, texts([1, 2], "x"));
  const found = await store.pagestore.read(vid, toLsn(1), PageSet.range(1, 2));
  const hash = new DataView(found.hash(1).slice().buffer).getBigUint64(0, true);
  assert.equal(hash, pageHash(found.page(1)));
});
