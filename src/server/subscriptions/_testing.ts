// A metastore of volumes that a test moves on by hand.

import { digestOf } from "../../core/content_digest.ts";
import { systemClock } from "../../core/clock.ts";
import { GraftError } from "../../core/errors.ts";
import { newGid, type VolumeId } from "../../core/gid.ts";
import { toLsn } from "../../core/lsn.ts";
import { noMetrics } from "../../core/metrics.ts";
import { toPageCount } from "../../core/page.ts";
import { PageSet } from "../../core/page_set.ts";
import { systemRandom } from "../../core/random.ts";
import type { CommitRecord, LogChange } from "../../log/commit_log.ts";
import { decodeVolumeEvent, type VolumeEvent } from "../../wire/v1/mod.ts";
import { CID, fakeMetastore, ManualTimers, snapshotAt } from "../_testing.ts";
import { FixedClock } from "../auth/_testing.ts";
import type { MetastoreApi } from "../engines.ts";
import { Subscriptions } from "./subscriptions.ts";

type Listener = Parameters<MetastoreApi["subscribe"]>[0];

/** Subscriptions on a log that exists only as heads. */
export class TestSubscriptions {
  readonly clock = new FixedClock();
  readonly timers = new ManualTimers();
  readonly heads = new Map<VolumeId, number | "deleted">();
  /** How often heads were read. */
  lookUps = 0;
  /** How many of the next look-ups fail. */
  failing = 0;
  resync: () => void = () => {};
  readonly subscriptions: Subscriptions;
  #listener: Listener = () => {};

  constructor(announcesAll = true) {
    const metastore = fakeMetastore({
      announcesAll,
      find: (vid) => this.#find(vid),
      changes: (vid, { since, to } = {}) =>
        Promise.resolve({
          snapshot: snapshotAt(to ?? 1, vid),
          range: undefined,
          graft: PageSet.from([since ?? 0]),
          sinceDigest: undefined,
        }),
      subscribe: (listener, onResync) => {
        this.#listener = listener;
        this.resync = onResync ?? (() => {});
        return () => this.#listener = () => {};
      },
    });
    const { clock, timers } = this;
    this.subscriptions = new Subscriptions({ metastore, clock, timers, metrics: noMetrics });
  }

  newVolume(lsn?: number): VolumeId {
    const vid = newGid("volume", systemClock, systemRandom);
    if (lsn !== undefined) this.heads.set(vid, lsn);
    return vid;
  }

  /** A commit of this process. */
  commit(vid: VolumeId, pages: readonly number[] = [], pageCount = 10): void {
    const head = this.heads.get(vid) ?? 0;
    if (head === "deleted") throw new Error("A deleted volume takes no commits");
    const { lsn, timestampMs, digest } = snapshotAt(head + 1, vid);
    const sid = newGid("segment", systemClock, systemRandom);
    const record: CommitRecord = {
      vid,
      lsn,
      timestampMs,
      digest,
      cid: CID,
      pageCount: toPageCount(pageCount),
      requestId: undefined,
      segments: pages.length === 0 ? [] : [{ sid, pageSet: PageSet.from(pages) }],
      parentDigest: digestOf(new Uint8Array()),
    };
    this.heads.set(vid, lsn);
    this.tell({ vid, lsn, record, deleted: false });
  }

  /** A commit of another process; `told`: this one's log hears of it. */
  commitElsewhere(vid: VolumeId, lsn: number, told = false): void {
    this.heads.set(vid, lsn);
    if (told) this.tell({ vid, lsn: toLsn(lsn), record: undefined, deleted: false });
  }

  tell(change: LogChange): void {
    this.#listener([change]);
  }

  async open(vids: readonly VolumeId[], lastEventId?: string, expiresAtMs?: number) {
    return new TestReader(await this.subscriptions.open({ vids, lastEventId, expiresAtMs }));
  }

  /** Lets two seconds pass. */
  async tick(times = 1): Promise<void> {
    for (let i = 0; i < times; i++) {
      this.timers.fire();
      await settle();
    }
  }

  #find(vid: VolumeId): ReturnType<MetastoreApi["find"]> {
    this.lookUps++;
    if (this.failing > 0) {
      this.failing--;
      return Promise.reject(new GraftError("unavailable", "Cannot read the log: it is away"));
    }
    const head = this.heads.get(vid);
    if (head === undefined) return Promise.resolve("absent");
    return Promise.resolve(head === "deleted" ? head : snapshotAt(head, vid));
  }
}

/** Reads a stream of events when it is told to. */
export class TestReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  id: string | undefined;

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = body.getReader();
  }

  /** The next chunk as text; undefined at the end. */
  async text(): Promise<string | undefined> {
    const { done, value } = await this.#reader.read();
    return done ? undefined : new TextDecoder().decode(value);
  }

  /** The events of the next chunk. */
  async events(): Promise<VolumeEvent[]> {
    const text = await this.text() ?? "";
    this.id = /^id: (.*)$/m.exec(text)?.[1] ?? this.id;
    const found = text.matchAll(/^event: (.*)\ndata: (.*)$/gm);
    return Array.from(found, ([, type, data]) => decodeVolumeEvent(type, data)!);
  }

  /** The LSNs of the next chunk. */
  async lsns(): Promise<(number | string)[]> {
    return (await this.events()).map((event) => event.type === "commit" ? event.lsn : event.type);
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

/** Lets promises that wait for nothing but each other settle. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}
