import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { systemClock } from "../core/clock.ts";
import type { SegmentId } from "../core/gid.ts";
import { SEGMENT_TAIL_BYTES_MAX } from "../core/limits.ts";
import { noMetrics } from "../core/metrics.ts";
import { TemporaryDirectory } from "../objects/_testing.ts";
import { ByteCache } from "../objects/byte_cache.ts";
import type { BlobCache } from "../objects/disk_cache/blob_cache.ts";
import { DiskCache } from "../objects/disk_cache/disk_cache.ts";
import { MemoryStore } from "../objects/memory_store.ts";
import { type ObjectCallOptions, type ObjectTail, segmentKey } from "../objects/object_store.ts";
import { noisePage, range, testSid, testVid, textPage, volumePages } from "../segment/_testing.ts";
import { WasmCodec } from "../segment/codecs/wasm_codec.ts";
import { encodeSegment } from "../segment/encoding/encode_segment.ts";
import { InlineEncoder } from "../segment/encoding/inline_encoder.ts";
import type { DecodedFrame } from "../segment/frame.ts";
import { SegmentReader } from "./segment_reader.ts";

const codec = new WasmCodec();
const vid = testVid();
const other = testVid(2);

/** A store whose reads are counted, and answered when the test says so. */
class WatchedStore extends MemoryStore {
  readonly requests: string[] = [];
  bytes = 0;
  held: Promise<void> | undefined;

  override async getRange(
    key: string,
    offset: number,
    length: number,
    options?: ObjectCallOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    this.requests.push("range");
    await this.held;
    const bytes = await super.getRange(key, offset, length, options);
    this.bytes += bytes.length;
    return bytes;
  }

  override async getTail(
    key: string,
    length: number,
    options?: ObjectCallOptions,
  ): Promise<ObjectTail> {
    this.requests.push("tail");
    await this.held;
    const tail = await super.getTail(key, length, options);
    this.bytes += tail.bytes.length;
    return tail;
  }

  /** What was asked since the last call. */
  take(): string[] {
    return this.requests.splice(0);
  }
}

/** Blobs in a map, which a test may look at and spoil. */
class MapBlobs extends Map<string, Uint8Array<ArrayBuffer>> implements BlobCache {
  override set(key: string, bytes: Uint8Array): this {
    return super.set(key, bytes.slice());
  }
}

function readerOf(objects: WatchedStore, blobs?: BlobCache): SegmentReader {
  const cache = { bytesMax: 64 << 20, metrics: noMetrics };
  return new SegmentReader({
    objects,
    codec,
    frames: new ByteCache({ name: "frames", ...cache }),
    directories: new ByteCache({ name: "directories", ...cache }),
    ...(blobs && { blobs }),
  });
}

type PageOf = (pageIdx: number) => Uint8Array;

/** Puts a segment with pages 1 to `count` of {@linkcode vid}, and page 1 of {@linkcode other}. */
async function putSegment(
  store: WatchedStore,
  count: number,
  page: PageOf = textPage,
  sid = testSid(),
): Promise<Uint8Array<ArrayBuffer>> {
  const pages = [volumePages(vid, range(1, count), page), volumePages(other, [1], page)];
  const { bytes } = encodeSegment(sid, pages, codec);
  await store.put(segmentKey(sid), bytes);
  return bytes;
}

async function read(
  reader: SegmentReader,
  frames: readonly number[],
  sid: SegmentId = testSid(),
): Promise<DecodedFrame[]> {
  return await reader.fetch(await reader.directory(sid), vid, frames);
}

/** Fails unless the frames hold the pages that were put. */
function check(frames: readonly DecodedFrame[], numbers: readonly number[], page: PageOf): void {
  equal(frames.length, numbers.length);
  for (const [i, number] of numbers.entries()) {
    deepEqual(frames[i].page(0), page(number * 16 + 1), `frame ${number}`);
  }
}

/** Lets everything that is ready run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

Deno.test("a cold read of one page is two requests and at most 128 KiB", async () => {
  const store = new WatchedStore();
  const bytes = await putSegment(store, 1000, noisePage);
  ok(bytes.length > 4_000_000);
  check(await read(readerOf(store), [30]), [30], noisePage);
  deepEqual(store.take(), ["tail", "range"]);
  ok(store.bytes <= 128 * 1024, `${store.bytes} bytes`);
});

Deno.test("what was read or written before a restart costs no request", async () => {
  await using temporary = await TemporaryDirectory.make();
  const directory = `${temporary.path}/cache`;
  const options = { directory, bytesMax: 2 ** 24, clock: systemClock, metrics: noMetrics };
  const store = new WatchedStore();
  await putSegment(store, 200);
  const before = await DiskCache.open(options);
  const reader = readerOf(store, before);
  await read(reader, [0, 1, 9]);
  const written = await new InlineEncoder(codec).encode(
    testSid(2),
    [volumePages(vid, range(1, 40))],
    { keepFrames: true },
  );
  reader.keep(written);
  await before.close();
  store.take();
  const after = await DiskCache.open(options);
  const restarted = readerOf(store, after);
  check(await read(restarted, [0, 1, 9]), [0, 1, 9], textPage);
  check(await read(restarted, [0, 1, 2], testSid(2)), [0, 1, 2], textPage);
  deepEqual(store.take(), []);
  await read(restarted, [9, 10]);
  deepEqual(store.take(), ["range"]);
  await after.close();
});

Deno.test("pages scattered over many segments take two waves of requests", async () => {
  const store = new WatchedStore();
  const sids = range(1, 64).map(testSid);
  for (const sid of sids) await putSegment(store, 40, textPage, sid);
  const reader = readerOf(store, new MapBlobs());
  let release = () => {};
  const hold = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    store.held = promise;
    release = resolve;
  };
  hold();
  const reads = sids.map((sid) => read(reader, [1], sid));
  await settle();
  deepEqual(store.take(), sids.map(() => "tail"));
  const releaseTails = release;
  hold();
  releaseTails();
  await settle();
  deepEqual(store.take(), sids.map(() => "range"));
  release();
  for (const frames of await Promise.all(reads)) check(frames, [1], textPage);
  deepEqual(store.take(), []);
});

Deno.test("frames that several want at once are fetched once, whatever else each wants", async () => {
  const store = new WatchedStore();
  await putSegment(store, 400, noisePage);
  const reader = readerOf(store);
  const directory = await reader.directory(testSid());
  store.bytes = 0;
  const wanted = [[0, 1, 2, 3], [2, 3, 4, 5], [3], [0, 5, 6], range(0, 6)];
  const answers = await Promise.all(wanted.map((frames) => reader.fetch(directory, vid, frames)));
  for (const [i, frames] of wanted.entries()) check(answers[i], frames, noisePage);
  const volume = directory.volume(vid)!;
  equal(store.bytes, range(0, 6).reduce((sum, i) => sum + volume.frameRange(i).length, 0));
  equal(answers[0][3], answers[2][0]);
  store.take();
  await read(reader, range(0, 6));
  deepEqual(store.take(), []);
});

Deno.test("frames near each other come with one request, others with their own", async () => {
  const store = new WatchedStore();
  await putSegment(store, 1600, (i) => i <= 800 ? textPage(i) : noisePage(i));
  const requests = async (frames: readonly number[]) => {
    const reader = readerOf(store);
    await reader.directory(testSid());
    store.take();
    const answers = await read(reader, frames);
    for (const [i, number] of frames.entries()) {
      const page = number < 50 ? textPage : noisePage;
      check([answers[i]], [number], page);
    }
    return store.take().length;
  };
  equal(await requests([0, 1, 2]), 1);
  equal(await requests([0, 2, 5, 9]), 1, "few bytes lie between");
  equal(await requests([60, 62]), 2, "a frame that does not compress lies between");
  equal(await requests([0, 99]), 2);
  equal(await requests(range(60, 99)), 3, "a run is at most a mebibyte");
});

Deno.test("a cache that was spoilt leads to the store, and is mended", async () => {
  const store = new WatchedStore();
  await putSegment(store, 40);
  const blobs = new MapBlobs();
  await read(readerOf(store, blobs), [0, 1, 2]);
  const good = new Map([...blobs].map(([key, bytes]) => [key, bytes.slice()]));
  equal(good.size, 4);
  store.take();
  const spoil: Record<string, (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>> = {
    flipped: (bytes) => bytes.map((byte, i) => i === bytes.length >> 1 ? byte ^ 1 : byte),
    short: (bytes) => bytes.slice(0, -1),
    long: (bytes) => new Uint8Array([...bytes, 0]),
    empty: () => new Uint8Array(0),
  };
  for (const [how, change] of Object.entries(spoil)) {
    for (const [key, bytes] of good) {
      blobs.set(key, change(bytes));
      check(await read(readerOf(store, blobs), [0, 1, 2]), [0, 1, 2], textPage);
      deepEqual(store.take(), [key === testSid() ? "tail" : "range"], how);
      deepEqual(new Map(blobs), good);
    }
  }
});

Deno.test("a damaged object is named, and nothing of what is damaged is kept", async () => {
  const store = new WatchedStore();
  const bytes = await putSegment(store, 40);
  const whole = readerOf(store);
  const { offset, length } = (await whole.directory(testSid())).volume(vid)!.frameRange(1);
  for (const [at, frames] of [[bytes.length - 70, []], [offset + (length >> 1), [0, 2]]] as const) {
    const flipped = bytes.slice();
    flipped[at] ^= 4;
    await store.put(segmentKey(testSid()), flipped);
    const blobs = new MapBlobs();
    const reader = readerOf(store, blobs);
    for (let round = 0; round < 2; round++) {
      await rejects(read(reader, [0, 1, 2]), { code: "damaged", message: new RegExp(testSid()) });
    }
    const kept = frames.map((frame) => `${testSid()}/${vid}/${frame}`);
    deepEqual([...blobs.keys()], frames.length === 0 ? [] : [testSid(), ...kept]);
    await store.put(segmentKey(testSid()), bytes);
    check(await read(reader, [0, 1, 2]), [0, 1, 2], textPage);
  }
});

Deno.test("an object that was cut short is named, also when its directory is known", async () => {
  const store = new WatchedStore();
  const bytes = await putSegment(store, 400, noisePage);
  const blobs = new MapBlobs();
  const reader = readerOf(store, blobs);
  await store.put(segmentKey(testSid()), bytes.slice(0, -100_000));
  await rejects(read(reader, [24]), { code: "damaged", message: new RegExp(testSid()) });
  equal(blobs.size, 0);
  await store.put(segmentKey(testSid()), bytes);
  await read(reader, [0]);
  await store.put(segmentKey(testSid()), bytes.slice(0, -100_000));
  await rejects(read(reader, [24]), { code: "damaged", message: new RegExp(testSid()) });
  equal(blobs.size, 2);
});

Deno.test("what is cached of an object that is gone is served", async () => {
  const store = new WatchedStore();
  await putSegment(store, 40);
  const blobs = new MapBlobs();
  await read(readerOf(store, blobs), [0, 1]);
  await store.delete(segmentKey(testSid()));
  const reader = readerOf(store, blobs);
  check(await read(reader, [0, 1]), [0, 1], textPage);
  await rejects(read(reader, [0, 1, 2]), { code: "missing" });
});

Deno.test("a failure is told to all who wait, and the next read tries again", async () => {
  const store = new WatchedStore();
  const bytes = await putSegment(store, 40);
  const reader = readerOf(store);
  await reader.directory(testSid());
  await store.delete(segmentKey(testSid()));
  const outcomes = await Promise.allSettled([[0, 1], [1], [1, 2]].map((f) => read(reader, f)));
  deepEqual(outcomes.map(({ status }) => status), ["rejected", "rejected", "rejected"]);
  await store.put(segmentKey(testSid()), bytes);
  check(await read(reader, [0, 1, 2]), [0, 1, 2], textPage);
});

Deno.test("what is kept of a written segment is its directory and its frames as stored", async () => {
  const store = new WatchedStore();
  const blobs = new MapBlobs();
  const pages = [volumePages(vid, range(1, 40), noisePage), volumePages(other, [7])];
  const segment = await new InlineEncoder(codec).encode(testSid(), pages, { keepFrames: true });
  const reader = readerOf(store, blobs);
  reader.keep(segment);
  check(await read(reader, [0, 1, 2]), [0, 1, 2], noisePage);
  deepEqual(store.take(), []);
  equal(blobs.size, 5);
  ok(blobs.get(testSid())!.length < 400);
  const stored = [...blobs.values()].reduce((sum, { length }) => sum + length, 32);
  equal(stored, segment.bytes.length);
  ok(segment.bytes.length > SEGMENT_TAIL_BYTES_MAX);
});
