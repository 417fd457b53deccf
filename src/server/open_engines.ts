/**
 * The engines of a server, put together from addresses.
 *
 * @module
 */

import { ByteCache } from "../objects/byte_cache.ts";
import type { CommitLog } from "../log/commit_log.ts";
import { openLog } from "../log/open_log.ts";
import { Metastore } from "../metastore/metastore.ts";
import { DataDirectory } from "../objects/data_directory.ts";
import type { BlobCache } from "../objects/disk_cache/blob_cache.ts";
import { DiskCache } from "../objects/disk_cache/disk_cache.ts";
import type { MeteredStore } from "../objects/metered_store.ts";
import { reconcileIdentity } from "../objects/store_identity.ts";
import { IngestBudget } from "../pagestore/page_write.ts";
import { Pagestore } from "../pagestore/pagestore.ts";
import { SegmentReader } from "../pagestore/segment_reader.ts";
import { SegmentWriter } from "../pagestore/segment_writer.ts";
import { VolumeIndexes } from "../pagestore/volume_indexes.ts";
import { NativeCodec } from "../segment/codecs/native_codec.ts";
import { isRemote, openObjects, type OpenObjectsOptions, s3Parts } from "./open_objects.ts";
import { WorkerEncoder } from "../segment/encoding/worker_encoder.ts";

/** Where data is, and how much memory it may take. */
export interface EngineOptions extends OpenObjectsOptions {
  /** The data directory; undefined only where both addresses are given. */
  readonly data: string | undefined;
  /** The address of the objects; undefined: in the data directory. */
  readonly objects: string | undefined;
  /** The address of the log; undefined: in the data directory. */
  readonly log: string | undefined;
  /** Bytes of all caches in memory together. */
  readonly cacheBytes: number;
  /** Bytes of the cache on disk, which only objects that are elsewhere have. */
  readonly diskCacheBytes: number;
  /** See `MetastoreParts.graceMs`. */
  readonly graceMs: number;
}

/** Running engines. */
export interface Engines {
  /** Commits. */
  readonly metastore: Metastore;
  /** Pages. */
  readonly pagestore: Pagestore;
  /** Where commits are kept. */
  readonly log: CommitLog;
  /** Where segments are kept. */
  readonly objects: MeteredStore;
  /** The absolute path of the data directory, where there is one. */
  readonly dataPath: string | undefined;
  /** Finishes what waits, and lets everything go, the lock of the data directory last. */
  close(): Promise<void>;
}

/** Shares of the cache, in percent: what a read needs lies in all three, but frames are the bulk. */
const SHARES = { frames: 50, directories: 10, indexes: 40 } as const;
/** One processor is left to the requests; more than two workers would only hold memory. */
const ENCODE_WORKERS_MAX = Math.min(Math.max(navigator.hardwareConcurrency - 1, 1), 2);
/** Bytes of request bodies that may be in memory at once. */
const INGEST_BYTES_MAX = 128 * 1024 * 1024;

/**
 * Opens the data directory, the log and the objects, makes sure that they belong together, and starts
 * the engines on them. When something fails, what was opened before is closed again.
 *
 * @throws {GraftError} `unavailable` when something is held by another process or cannot be reached,
 * `invalid` for addresses that are none or do not belong together.
 */
export async function openEngines(options: EngineOptions): Promise<Engines> {
  const { clock, random, metrics } = options;
  await using opened = new AsyncDisposableStack();
  const directory = options.data === undefined ? undefined : await DataDirectory.open(options.data);
  if (directory !== undefined) opened.defer(() => directory.close());
  const objectsUrl = options.objects ?? `file:${directory?.path}`;
  const objects = await openObjects(objectsUrl, options);
  opened.defer(() => objects.close());
  const logUrl = options.log ?? `kv:${directory?.resolve("log.kv")}`;
  const log = await openLog(logUrl, {
    clock,
    random,
    metrics,
    segments: objects,
    s3: s3Parts(logUrl, "log", options),
  });
  opened.defer(() => log.close());
  await reconcileIdentity(objects, {
    name: log.name,
    storeId: log.storeId,
    isNew: await log.isEmpty(),
  });
  const blobs = isRemote(objectsUrl) ? await openDiskCache(options, directory, opened) : undefined;
  const engines = startEngines(options, { log, objects, blobs }, opened);
  const owned = opened.move();
  const dataPath = directory?.path;
  return { ...engines, log, objects, dataPath, close: () => owned.disposeAsync() };
}

/** What the engines share. */
interface Stores {
  readonly log: CommitLog;
  readonly objects: MeteredStore;
  readonly blobs: BlobCache | undefined;
}

/** What is far is kept near: on disk, where there is a data directory for it. */
async function openDiskCache(
  { diskCacheBytes, clock, metrics }: EngineOptions,
  directory: DataDirectory | undefined,
  opened: AsyncDisposableStack,
): Promise<BlobCache | undefined> {
  if (directory === undefined || diskCacheBytes === 0) return undefined;
  const cache = await DiskCache.open({
    directory: directory.resolve("cache"),
    bytesMax: diskCacheBytes,
    clock,
    metrics,
  });
  opened.defer(() => cache.close());
  return cache;
}

function startEngines(
  options: EngineOptions,
  { log, objects, blobs }: Stores,
  opened: AsyncDisposableStack,
): Pick<Engines, "metastore" | "pagestore"> {
  const { clock, random, metrics, graceMs } = options;
  const share = (name: keyof typeof SHARES) => Math.floor(options.cacheBytes * SHARES[name] / 100);
  const cache = (name: "frames" | "directories") => ({ name, bytesMax: share(name), metrics });
  const indexes = new VolumeIndexes({ log, metrics, bytesMax: share("indexes") });
  opened.defer(() => indexes.close());
  const codec = new NativeCodec();
  const encoder = new WorkerEncoder({ codec, workersMax: ENCODE_WORKERS_MAX });
  opened.defer(() => encoder.close());
  encoder.startAhead();
  const reader = new SegmentReader({
    objects,
    codec,
    frames: new ByteCache(cache("frames")),
    directories: new ByteCache(cache("directories")),
    blobs,
  });
  const writer = new SegmentWriter({
    log,
    objects,
    encoder,
    clock,
    random,
    keep: (segment) => reader.keep(segment),
    metrics,
  });
  const ingest = new IngestBudget(INGEST_BYTES_MAX);
  metrics.gauge("ingest_bytes", "Memory reserved for request bodies", () => ingest.bytes);
  return {
    metastore: new Metastore({ log, indexes, clock, random, graceMs }),
    pagestore: new Pagestore({ indexes, reader, writer, ingest, metrics }),
  };
}
