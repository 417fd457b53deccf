// Changes whose answer was lost.

import type { VolumeId } from "../../../core/gid.ts";
import type { Lsn } from "../../../core/lsn.ts";
import type { Head } from "../../commit_log.ts";
import type { Subscribers } from "../../subscribers.ts";

/**
 * Remembers which volumes may have moved unseen, so that subscribers learn of it from the next read of
 * the head. Nobody else would tell them: an exclusive log reads no feed.
 */
export class Doubts {
  readonly #lsns = new Map<VolumeId, Lsn>();
  readonly #subscribers: Subscribers;

  constructor(subscribers: Subscribers) {
    this.#subscribers = subscribers;
  }

  /** The volume's head may or may not be at `lsn` now. */
  add(vid: VolumeId, lsn: Lsn): void {
    this.#lsns.set(vid, lsn);
  }

  /** A later change was seen to land, and its announcement covers this. */
  drop(vid: VolumeId): void {
    this.#lsns.delete(vid);
  }

  /** A read that began after the doubt shows the head. */
  settle(vid: VolumeId, head: Head | undefined): void {
    const lsn = this.#lsns.get(vid);
    if (lsn === undefined) return;
    this.#lsns.delete(vid);
    if (head !== undefined && head.lsn >= lsn) {
      this.#subscribers.publish([{ vid, lsn: head.lsn, record: undefined, deleted: head.deleted }]);
    }
  }
}
