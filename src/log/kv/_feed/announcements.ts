// What subscribers were told, so that they are told it once.

import { LRUCache } from "lru-cache";
import type { VolumeId } from "../../../core/gid.ts";
import type { LogChange } from "../../commit_log.ts";
import type { Subscribers } from "../../subscribers.ts";

/**
 * Tells subscribers of changes, whoever notices them first: the writer, a read after a lost answer, or the
 * feed. Of each volume only what is newer than the last that was told is passed on.
 *
 * Volumes are forgotten, the least recently changed first. One would have to be forgotten within the time
 * between a commit and its entry in the feed to be told of twice.
 */
export class Announcements {
  readonly #told: LRUCache<VolumeId, LogChange>;
  readonly #subscribers: Subscribers;

  constructor(subscribers: Subscribers, volumesMax: number) {
    this.#subscribers = subscribers;
    this.#told = new LRUCache({ max: volumesMax });
  }

  /** Passes on what is news. */
  publish(changes: readonly LogChange[]): void {
    const news = changes.filter((change) => this.#isNews(change));
    if (news.length > 0) this.#subscribers.publish(news);
  }

  /** Says that changes may have been missed, of any volume. */
  resync(): void {
    this.#subscribers.resync();
  }

  #isNews(change: LogChange): boolean {
    const told = this.#told.get(change.vid);
    if (told !== undefined && !isNewer(change, told)) return false;
    // what is kept needs no record
    this.#told.set(change.vid, { ...change, record: undefined });
    return true;
  }
}

/** A deletion keeps the LSN. */
function isNewer(a: LogChange, b: LogChange): boolean {
  return a.lsn > b.lsn || (a.lsn === b.lsn && a.deleted && !b.deleted);
}
