/**
 * What is known of a volume that somebody follows.
 *
 * @module
 */

import type { Digest } from "../../core/content_digest.ts";
import { isGraftError } from "../../core/errors.ts";
import type { ClientId, VolumeId } from "../../core/gid.ts";
import type { Lsn } from "../../core/lsn.ts";
import type { PageCount } from "../../core/page.ts";
import { PageSet } from "../../core/page_set.ts";
import type { CommitRecord, LogChange } from "../../log/commit_log.ts";
import { encodeVolumeEvent, type VolumeEvent } from "../../wire/v1/mod.ts";
import type { MetastoreApi } from "../engines.ts";
import { checksumOf, encodeEventId } from "./event_ids.ts";

/** The newest commit of a volume. */
interface KnownHead {
  readonly cid: ClientId;
  readonly lsn: Lsn;
  readonly digest: Digest;
  readonly pageCount: PageCount;
  readonly timestampMs: number;
}

/** Something that happened to a volume, encoded once for all who follow it. */
export interface Announcement {
  /** The volume's head from then on. */
  readonly lsn: number;
  /** The lines of the event, the empty one at its end included. */
  readonly bytes: Uint8Array;
  /** The same with its id, for those who follow no other volume. */
  readonly alone: Uint8Array;
}

/** Takes announcements. */
export interface Follower {
  /** Called in the order of the volume's line. */
  take(topic: VolumeTopic, announcement: Announcement): void;
}

/** Longer grafts are left out of events: who needs one asks for it. */
const GRAFT_BYTES_MAX = 4 * 1024;

const encoder = new TextEncoder();

/** A volume, those who follow it, and the newest commit that this process knows of. */
export class VolumeTopic {
  /** The volume. */
  readonly vid: VolumeId;
  /** Who follows it. */
  readonly followers = new Set<Follower>();
  readonly #metastore: MetastoreApi;
  readonly #checksum: string;
  #head: KnownHead | undefined;
  #deleted = false;
  #looked = false;
  /** What happened up to now in one event, made when it is first asked for. */
  #summary: Announcement | undefined;
  #lookingUp: Promise<void> | undefined;
  #again = false;

  /** Nothing is known before the first {@linkcode VolumeTopic.lookUp}. */
  constructor(vid: VolumeId, metastore: MetastoreApi) {
    this.vid = vid;
    this.#metastore = metastore;
    this.#checksum = checksumOf([vid]);
  }

  /** Whether the volume was looked up, so that what comes next is news. */
  get ready(): boolean {
    return this.#looked;
  }

  /** The head's LSN; 0 where there is no commit. */
  get lsn(): number {
    return this.#head?.lsn ?? 0;
  }

  /** Whether something happened to the volume after an LSN. */
  hasNewsFor(lsn: number): boolean {
    return this.#deleted || lsn < this.lsn;
  }

  /** Whether an LSN, which was there once, is not. */
  isBelow(lsn: number): boolean {
    return !this.#deleted && lsn > this.lsn;
  }

  /** One event that stands for all that happened so far; undefined where nothing did. */
  get summary(): Announcement | undefined {
    if (this.#summary === undefined && (this.#head !== undefined || this.#deleted)) {
      this.#summary = this.#encode(this.#event(undefined, undefined));
    }
    return this.#summary;
  }

  /**
   * Takes a change that the log told of.
   *
   * @returns Whether that settles it; otherwise {@linkcode VolumeTopic.lookUp} is needed.
   */
  take({ lsn, record, deleted }: LogChange): boolean {
    if (deleted) this.#announceDeleted();
    if (this.#deleted || lsn <= this.lsn) return true;
    const follows = this.#looked && record !== undefined && lsn === this.lsn + 1;
    if (follows) this.#announce(record, this.lsn, changedBy(record, this.#head));
    return follows;
  }

  /**
   * Reads the volume's head, and announces what is new.
   *
   * @throws {GraftError} `unavailable` when the log does not answer.
   */
  async lookUp(): Promise<void> {
    // who calls while a look is under way needs one that begins after it
    this.#again = true;
    this.#lookingUp ??= this.#lookUpAll().finally(() => this.#lookingUp = undefined);
    await this.#lookingUp;
  }

  async #lookUpAll(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      await this.#lookUpOnce();
    }
  }

  async #lookUpOnce(): Promise<void> {
    const since = this.#head?.lsn;
    const found = await this.#metastore.find(this.vid);
    if (found === "deleted") this.#announceDeleted();
    else if (found !== "absent" && found.lsn > this.lsn) {
      const graft = since === undefined ? undefined : await this.#graftSince(since, found.lsn);
      // commits that this process made meanwhile were announced already
      if (found.lsn > this.lsn) this.#announce(found, since, graft);
    }
    this.#looked = true;
  }

  async #graftSince(since: Lsn, to: Lsn): Promise<PageSet | undefined> {
    try {
      return (await this.#metastore.changes(this.vid, { since, to })).graft;
    } catch (error) {
      // who follows asks for itself, and is told what became of the volume
      if (isGraftError(error, "missing")) return undefined;
      throw error;
    }
  }

  #announce(head: KnownHead, since: number | undefined, graft: PageSet | undefined): void {
    const { cid, lsn, digest, pageCount, timestampMs } = head;
    this.#head = { cid, lsn, digest, pageCount, timestampMs };
    this.#tell(this.#event(since, graft));
  }

  #announceDeleted(): void {
    if (this.#deleted) return;
    this.#deleted = true;
    this.#tell(this.#event(undefined, undefined));
  }

  #event(since: number | undefined, graft: PageSet | undefined): VolumeEvent {
    const head = this.#head;
    if (this.#deleted || head === undefined) return { type: "deleted", vid: this.vid };
    const told = graft !== undefined && graft.bytes.length <= GRAFT_BYTES_MAX;
    return {
      type: "commit",
      vid: this.vid,
      ...head,
      since: told ? since : undefined,
      graft: told ? graft : undefined,
    };
  }

  #tell(event: VolumeEvent): void {
    this.#summary = undefined;
    const announcement = this.#encode(event);
    for (const follower of this.followers) follower.take(this, announcement);
  }

  #encode(event: VolumeEvent): Announcement {
    const text = `${encodeVolumeEvent(event)}\n`;
    const id = encodeEventId(this.#checksum, [this.lsn]);
    return {
      lsn: this.lsn,
      bytes: encoder.encode(text),
      alone: encoder.encode(`id: ${id}\n${text}`),
    };
  }
}

function changedBy(record: CommitRecord, before: KnownHead | undefined): PageSet {
  const cutOff = before !== undefined && record.pageCount < before.pageCount
    ? [{ first: record.pageCount + 1, last: before.pageCount }]
    : [];
  return PageSet.union([...record.segments.map(({ pageSet }) => pageSet), ...cutOff]);
}
