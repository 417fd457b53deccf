/**
 * A server whose log and objects fail on order, between its engines and their stores.
 *
 * @module
 */

import { systemClock } from "../../../src/core/clock.ts";
import { noMetrics } from "../../../src/core/metrics.ts";
import { systemRandom } from "../../../src/core/random.ts";
import { systemTimers } from "../../../src/core/timers.ts";
import { MEMORY_PATH, openStoreFile } from "../../../src/log/_log_io.ts";
import type { KvAtomic, KvHandle } from "../../../src/log/kv/kv_handle.ts";
import { KvLog } from "../../../src/log/kv/kv_log.ts";
import { Metastore } from "../../../src/metastore/metastore.ts";
import { ByteCache } from "../../../src/objects/byte_cache.ts";
import type { ObjectStore } from "../../../src/objects/object_store.ts";
import { openObjectStore } from "../../../src/objects/open_object_store.ts";
import { GraftError } from "../../../src/core/errors.ts";
import { IngestBudget } from "../../../src/pagestore/page_write.ts";
import { Pagestore } from "../../../src/pagestore/pagestore.ts";
import { SegmentReader } from "../../../src/pagestore/segment_reader.ts";
import { SegmentWriter } from "../../../src/pagestore/segment_writer.ts";
import { VolumeIndexes } from "../../../src/pagestore/volume_indexes.ts";
import { WasmCodec } from "../../../src/segment/codecs/wasm_codec.ts";
import { InlineEncoder } from "../../../src/segment/encoding/inline_encoder.ts";
import { createApp } from "../../../src/server/app.ts";
import { PrometheusMetrics } from "../../../src/server/telemetry/prometheus.ts";
import { endpointsOf, type TestServer } from "./server.ts";

/** `before`: the write has no effect. `after`: it takes effect, and its answer is lost. */
export type Fault = "before" | "after";

/** What fails next: each write of the kind uses up one entry; undefined lets it pass. */
export interface Faults {
  /** Atomic writes of the log. */
  readonly compares: (Fault | undefined)[];
  /** Reads of the log: true fails. */
  readonly logReads: (true | undefined)[];
  /** Puts of segments. */
  readonly puts: (Fault | undefined)[];
}

/** Starts it in memory. */
export async function openFaultyServer(): Promise<TestServer & { readonly faults: Faults }> {
  const faults: Faults = { compares: [], logReads: [], puts: [] };
  const parts = { clock: systemClock, random: systemRandom, metrics: noMetrics };
  await using opened = new AsyncDisposableStack();
  const kv = faultyKv(await openStoreFile(MEMORY_PATH), faults);
  const log = await KvLog.open({
    ...parts,
    timers: systemTimers,
    kv,
    name: "memory:",
    exclusive: true,
    onListenerError: () => {},
  });
  opened.defer(() => log.close());
  const objects = faultyObjects(await openObjectStore("memory:"), faults);
  const indexes = new VolumeIndexes({ ...parts, log, bytesMax: 1 << 24 });
  opened.defer(() => indexes.close());
  const codec = new WasmCodec();
  const cache = (name: string) => ({ name, bytesMax: 1 << 24, metrics: noMetrics });
  const reader = new SegmentReader({
    objects,
    codec,
    frames: new ByteCache(cache("frames")),
    directories: new ByteCache(cache("directories")),
  });
  const writer = new SegmentWriter({
    ...parts,
    log,
    objects,
    encoder: new InlineEncoder(codec),
    keep: (segment) => reader.keep(segment),
  });
  const ingest = new IngestBudget(1 << 27);
  const app = createApp({
    ...parts,
    timers: systemTimers,
    metrics: new PrometheusMetrics(),
    metastore: new Metastore({ ...parts, log, indexes, graceMs: 24 * 3_600_000 }),
    pagestore: new Pagestore({ ...parts, indexes, reader, writer, ingest }),
    role: "all",
    authenticator: undefined,
    guard: undefined,
    cors: [],
    bodyLimitBytes: 1 << 30,
    stores: [],
  });
  const http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, app.fetch);
  opened.defer(() => http.shutdown());
  const owned = opened.move();
  const to = endpointsOf(`http://127.0.0.1:${http.addr.port}`);
  return { to, faults, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** What a store throws whose connection broke. */
function lost(): Error {
  return new TypeError("the connection broke");
}

function faultyKv(kv: KvHandle, faults: Faults): KvHandle {
  const reading = <T>(read: () => Promise<T>): Promise<T> =>
    faults.logReads.shift() ? Promise.reject(lost()) : read();
  return {
    get: (key) => reading(() => kv.get(key)),
    getMany: (keys) => reading(() => kv.getMany(keys)),
    list: (range, options) => kv.list(range, options),
    atomic: () => faultyAtomic(kv.atomic(), faults),
    watch: (keys) => kv.watch(keys),
    commitVersionstamp: () => kv.commitVersionstamp(),
    close: () => kv.close(),
  };
}

function faultyAtomic(atomic: KvAtomic, faults: Faults): KvAtomic {
  const faulty: KvAtomic = {
    check(check) {
      atomic.check(check);
      return faulty;
    },
    set(key, value, options) {
      atomic.set(key, value, options);
      return faulty;
    },
    delete(key) {
      atomic.delete(key);
      return faulty;
    },
    async commit() {
      const fault = faults.compares.shift();
      if (fault === "before") throw lost();
      const outcome = await atomic.commit();
      if (fault === "after") throw lost();
      return outcome;
    },
  };
  return faulty;
}

function faultyObjects(store: ObjectStore, faults: Faults): ObjectStore {
  const put: ObjectStore["put"] = async (key, body, options) => {
    const fault = faults.puts.shift();
    const broken = () => new GraftError("unavailable", `Cannot put "${key}": the store is gone`);
    if (fault === "before") throw broken();
    await store.put(key, body, options);
    if (fault === "after") throw broken();
  };
  return new Proxy(store, {
    get(target, name) {
      if (name === "put") return put;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
