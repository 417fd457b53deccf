// What the tests of this folder share: lines of commits made by hand.

import { systemClock } from "../core/clock.ts";
import { digestOf, EMPTY_DIGEST } from "../core/content_digest.ts";
import { GraftError } from "../core/errors.ts";
import { clientIdFromName, newGid, type VolumeId } from "../core/gid.ts";
import { PAGE_SIZE } from "../core/limits.ts";
import { toLsn } from "../core/lsn.ts";
import { noMetrics } from "../core/metrics.ts";
import { toPageCount } from "../core/page.ts";
import { PageBuffer } from "../core/page_buffer.ts";
import { PageSet } from "../core/page_set.ts";
import { systemRandom } from "../core/random.ts";
import type { SegmentUse } from "../core/snapshot.ts";
import type { CommitLog, CommitRecord } from "../log/commit_log.ts";
import { openLog } from "../log/open_log.ts";
import { ByteCache } from "../objects/byte_cache.ts";
import { MemoryStore } from "../objects/memory_store.ts";
import type { ObjectStore } from "../objects/object_store.ts";
import { InlineEncoder } from "../segment/encoding/inline_encoder.ts";
import { WasmCodec } from "../segment/codecs/wasm_codec.ts";
import { IngestBudget } from "./page_write.ts";
import { Pagestore } from "./pagestore.ts";
import { SegmentReader } from "./segment_reader.ts";
import { SegmentWriter } from "./segment_writer.ts";
import { VolumeIndexes } from "./volume_indexes.ts";

/** A volume's line that grows by hand. */
export class Line {
  readonly vid: VolumeId = newGid("volume", systemClock, systemRandom);
  readonly records: CommitRecord[] = [];

  /** Adds a commit whose pages lie in one new segment. */
  commit(pageCount: number, pages: readonly number[]): CommitRecord {
    const lsn = toLsn(this.records.length + 1);
    const sid = newGid("segment", systemClock, systemRandom);
    const record: CommitRecord = {
      vid: this.vid,
      lsn,
      cid: clientIdFromName("test"),
      pageCount: toPageCount(pageCount),
      timestampMs: lsn * 1000,
      requestId: undefined,
      segments: pages.length === 0 ? [] : [{ sid, pageSet: PageSet.from(pages) }],
      digest: digestOf(new TextEncoder().encode(`${this.vid} ${lsn} ${pages}`)),
      parentDigest: this.records.at(-1)?.digest ?? EMPTY_DIGEST,
    };
    this.records.push(record);
    return record;
  }
}

/** A page that begins with a text. */
export function pageOf(text: string): Uint8Array<ArrayBuffer> {
  const page = new Uint8Array(PAGE_SIZE);
  new TextEncoder().encodeInto(text, page);
  return page;
}

/** Pages on their way in, by index. */
export function bufferOf(pages: Record<number, string>): PageBuffer {
  const buffer = new PageBuffer(Object.keys(pages).length);
  for (const [pageIdx, text] of Object.entries(pages)) {
    buffer.add(Number(pageIdx)).set(pageOf(text));
  }
  return buffer;
}

/** A pagestore on a log and objects in memory, with its seams in reach. */
export class TestPagestore implements AsyncDisposable {
  readonly log: CommitLog;
  readonly objects = new MemoryStore();
  readonly ingest = new IngestBudget(64 * 1024 * 1024);
  /** Requests that reads made of the store since the caches were last emptied. */
  readonly requests = { tail: 0, range: 0 };
  /** How many of the next puts fail. */
  failPuts = 0;
  pagestore!: Pagestore;
  #indexes!: VolumeIndexes;
  #registered = 0;
  #held: Promise<void> | undefined;
  readonly #store: ObjectStore;

  private constructor(log: CommitLog) {
    const register: CommitLog["register"] = (registrations) => {
      this.#registered += registrations.length;
      return log.register(registrations);
    };
    this.log = overriding(log, { register });
    this.#store = overriding<ObjectStore>(this.objects, {
      put: async (key, body, options) => {
        await this.#held;
        if (this.failPuts > 0) {
          this.failPuts--;
          throw new GraftError("unavailable", `Cannot put "${key}": the store is full`);
        }
        return await this.objects.put(key, body, options);
      },
      getTail: (key, length) => {
        this.requests.tail++;
        return this.objects.getTail(key, length);
      },
      getRange: (key, offset, length) => {
        this.requests.range++;
        return this.objects.getRange(key, offset, length);
      },
    });
    this.#build();
  }

  static async open(): Promise<TestPagestore> {
    const clock = systemClock;
    return new TestPagestore(
      await openLog("memory:", { clock, random: systemRandom, metrics: noMetrics }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#indexes.close();
    await this.log.close();
  }

  /** Segments registered so far. */
  get registered(): number {
    return this.#registered;
  }

  /** Goes on with empty caches and indexes. */
  reopenCaches(): void {
    this.#indexes.close();
    this.#build();
    this.requests.tail = this.requests.range = 0;
  }

  /** Makes puts wait until the returned function is called. */
  holdPuts(): () => Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    return () => {
      resolve();
      return promise;
    };
  }

  async writeAndCommit(
    vid: VolumeId,
    pageCount: number,
    pages: Record<number, string>,
  ): Promise<SegmentUse[]> {
    const uses = await this.pagestore.openWrite().finish(vid, bufferOf(pages));
    await this.commit(vid, pageCount, uses);
    return uses;
  }

  async commit(vid: VolumeId, pageCount: number, segments: readonly SegmentUse[]): Promise<void> {
    const base = await this.log.head(vid);
    const lsn = toLsn((base.head?.lsn ?? 0) + 1);
    const record: CommitRecord = {
      vid,
      lsn,
      cid: clientIdFromName("test"),
      pageCount: toPageCount(pageCount),
      timestampMs: lsn,
      requestId: undefined,
      segments,
      digest: digestOf(new TextEncoder().encode(`${vid} ${lsn}`)),
      parentDigest: base.head?.digest ?? EMPTY_DIGEST,
    };
    await this.log.append(record, base, await this.log.collectionVersion());
  }

  #build(): void {
    const codec = new WasmCodec();
    const [log, metrics] = [this.log, noMetrics];
    const cache = { bytesMax: 16 << 20, metrics };
    this.#indexes = new VolumeIndexes({ log, metrics, bytesMax: 16 << 20 });
    const reader = new SegmentReader({
      objects: this.#store,
      codec,
      frames: new ByteCache({ name: "frames", ...cache }),
      directories: new ByteCache({ name: "directories", ...cache }),
    });
    this.pagestore = new Pagestore({
      indexes: this.#indexes,
      reader,
      writer: new SegmentWriter({
        log,
        objects: this.#store,
        encoder: new InlineEncoder(codec),
        keep: (segment) => reader.keep(segment),
        clock: systemClock,
        random: systemRandom,
        metrics,
      }),
      ingest: this.ingest,
      metrics,
    });
  }
}

/** The part with some of its methods replaced. */
export function overriding<T extends object>(part: T, methods: Partial<T>): T {
  return new Proxy(part, {
    get(target, name) {
      const replaced = Reflect.get(methods, name);
      if (replaced !== undefined) return replaced;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
