// Changes whose answer was lost.

import type { VolumeId } from "../../../core/gid.ts";
import type { Lsn } from "../../../core/lsn.ts";
import type { Head } from "../../commit_log.ts";
import type { Announcements } from "../_feed/announcements.ts";

/**
 * Remembers which volumes may have moved unseen, so that subscribers learn of it from the next read of
 * the head. In an exclusive log, which reads no feed, nobody else would tell them; in a shared one the
 * write may even take effect after that read, and then the feed tells.
 */
export class Doubts {
  readonly #lsns = new Map<VolumeId, Lsn>();
  readonly #announcements: Announcements;

  constructor(announcements: Announcements) {
    this.#announcements = announcements;
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
    const doubted = this.#lsns.get(vid);
    if (doubted === undefined) return;
    this.#lsns.delete(vid);
    if (head !== undefined && head.lsn >= doubted) {
      const { lsn, deleted } = head;
      this.#announcements.publish([{ vid, lsn, record: undefined, deleted }]);
    }
  }
}
