// What tests of the server share: engines that do as they are told, and an app around them.

import { GraftError } from "../core/errors.ts";
import { EMPTY_DIGEST } from "../core/content_digest.ts";
import { clientIdFromName, newGid, type VolumeId } from "../core/gid.ts";
import { systemClock } from "../core/clock.ts";
import { toLsn } from "../core/lsn.ts";
import { toPageCount } from "../core/page.ts";
import type { PageBuffer } from "../core/page_buffer.ts";
import { PageSet } from "../core/page_set.ts";
import { systemRandom } from "../core/random.ts";
import type { SegmentUse } from "../core/snapshot.ts";
import { systemTimers, type Timers } from "../core/timers.ts";
import { decodeGraftErr } from "../wire/messages.ts";
import { MEDIA_TYPE } from "../wire/protocol.ts";
import type { ChainedSnapshot } from "../wire/v1/mod.ts";
import { type App, type AppParts, createApp } from "./app.ts";
import type { MetastoreApi, PagestoreApi, PageWriteApi } from "./engines.ts";
import { PrometheusMetrics } from "./telemetry/prometheus.ts";

export const VID: VolumeId = newGid("volume", systemClock, systemRandom);
export const CID = clientIdFromName("test");

/** A snapshot of {@linkcode VID}. */
export function snapshotAt(lsn: number, vid = VID): ChainedSnapshot {
  return {
    vid,
    cid: CID,
    lsn: toLsn(lsn),
    checkpointLsn: toLsn(1),
    pageCount: toPageCount(10),
    timestampMs: 1_750_000_000_000,
    digest: EMPTY_DIGEST,
  };
}

const absent = (): never => {
  throw new GraftError("missing", "Cannot read: this test has no such engine");
};

/** A metastore of which a test writes what it needs; everything else is missing. */
export function fakeMetastore(calls: Partial<MetastoreApi> = {}): MetastoreApi {
  const none = {
    snapshot: absent,
    snapshotAt: absent,
    commit: absent,
    pullGraft: absent,
    pullCommits: absent,
    volumes: absent,
    createVolume: absent,
    log: absent,
    changes: absent,
    find: absent,
    deleteVolume: absent,
    subscribe: () => () => {},
    announcesAll: true,
  };
  return { ...none, ...calls };
}

/** A pagestore that remembers what was written. */
export class FakePagestore implements PagestoreApi {
  /** Pages of each part handed over, in order, the last included. */
  readonly parts: { vid: VolumeId; count: number }[] = [];
  /** Requests that ran to their end, and those let go of. */
  finished = 0;
  aborted = 0;
  /** Called on each part but the last. */
  onAdd: () => Promise<void> = () => Promise.resolve();
  /** Called on the last part. */
  onFinish: () => Promise<void> = () => Promise.resolve();
  expectedBytes: number | undefined;

  read: PagestoreApi["read"] = () => {
    return Promise.resolve({
      indexes: Uint32Array.of(3),
      page: () => new Uint8Array(4096).fill(7),
      hash: () => new Uint8Array(8),
    });
  };

  readFrames: PagestoreApi["readFrames"] = async (vid, lsn, wanted) => {
    return { frames: [], rest: await this.read(vid, lsn, wanted) };
  };

  openWrite(expectedBytes?: number): PageWriteApi {
    this.expectedBytes = expectedBytes;
    const pages: number[] = [];
    const take = (vid: VolumeId, buffer: PageBuffer) => {
      this.parts.push({ vid, count: buffer.count });
      pages.push(...buffer.indexes);
    };
    return {
      hold() {},
      add: async (vid, buffer) => {
        take(vid, buffer);
        await this.onAdd();
      },
      finish: async (vid, buffer): Promise<SegmentUse[]> => {
        take(vid, buffer);
        await this.onFinish();
        this.finished++;
        const sid = newGid("segment", systemClock, systemRandom);
        return [{ sid, pageSet: PageSet.from(pages) }];
      },
      abort: () => {
        this.aborted++;
      },
    };
  }
}

/** Timers that fire when a test says so. */
export class ManualTimers implements Timers {
  readonly #waiting = new Set<() => void>();

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  sleep(): Promise<void> {
    return new Promise((resolve) => this.after(0, resolve));
  }

  after(_delayMs: number, callback: () => void): () => void {
    const entry = () => {
      this.#waiting.delete(entry);
      callback();
    };
    this.#waiting.add(entry);
    return () => this.#waiting.delete(entry);
  }

  /** Fires all that wait now. */
  fire(): void {
    for (const entry of [...this.#waiting]) entry();
  }
}

/** An app around fakes. */
export function testApp(parts: Partial<AppParts> = {}): App {
  return createApp({
    role: "all",
    metastore: fakeMetastore(),
    pagestore: new FakePagestore(),
    authenticator: undefined,
    guard: undefined,
    cors: [],
    bodyLimitBytes: 64 * 1024 * 1024,
    stores: [],
    metrics: new PrometheusMetrics(),
    clock: systemClock,
    random: systemRandom,
    timers: systemTimers,
    ...parts,
  });
}

const BASE = "http://127.0.0.1:3000";

/** Sends a v0.1 request. */
export async function call(
  app: App,
  path: string,
  body: BodyInit | undefined,
  headers: Record<string, string> = {},
): Promise<Response> {
  return await app.fetch(
    new Request(BASE + path, {
      method: "POST",
      body,
      headers: { "content-type": MEDIA_TYPE, ...headers },
    }),
  );
}

/** Sends any other request. */
export async function get(app: App, path: string, init: RequestInit = {}): Promise<Response> {
  return await app.fetch(new Request(BASE + path, init));
}

/** The parts of a v0.1 error that tests look at. */
export async function graftErr(response: Response) {
  const mediaType = response.headers.get("content-type");
  const { code, message } = decodeGraftErr(new Uint8Array(await response.arrayBuffer()));
  return { status: response.status, mediaType, code, message };
}
