// What becomes known of heads, and who is told.

import type { VolumeId } from "../../../core/gid.ts";
import type { Lsn } from "../../../core/lsn.ts";
import type { CommitRecord, LogChange } from "../../commit_log.ts";
import type { Subscribers } from "../../subscribers.ts";
import type { RecordObject } from "../_format/record_object.ts";
import { DOUBTS_MAX } from "../_limits.ts";
import { type HeadState, objectLsn } from "./head_state.ts";
import type { KnownHeads } from "./known_heads.ts";

/**
 * Keeps the known heads up to date and tells subscribers of what is new: own commits with their record,
 * what others wrote without it, once a read shows it.
 */
export class HeadNews {
  readonly #heads: KnownHeads;
  readonly #subscribers: Subscribers;
  /** The objects whose put was not answered, the oldest first: where a read shows them, they are news. */
  readonly #doubts = new Map<VolumeId, Lsn>();

  constructor(heads: KnownHeads, subscribers: Subscribers) {
    this.#heads = heads;
    this.#subscribers = subscribers;
  }

  /**
   * The object at `lsn` may or may not be there now. Of too many such objects the oldest is forgotten: if it
   * landed, and its head has left the known ones, subscribers hear of the volume at its next commit only.
   */
  doubt(vid: VolumeId, lsn: Lsn): void {
    this.#doubts.delete(vid);
    this.#doubts.set(vid, lsn);
    if (this.#doubts.size <= DOUBTS_MAX) return;
    const [oldest] = this.#doubts.keys();
    this.#doubts.delete(oldest);
  }

  /** A strong read showed this. */
  read(vid: VolumeId, state: HeadState): void {
    const known = this.#heads.get(vid);
    this.#heads.put(vid, state);
    // of a volume whose head is not known any more, a deletion may be news
    const isNewer = known === undefined
      ? state.newest?.deleted === true
      : objectLsn(state) > objectLsn(known);
    const isDoubted = this.#settle(vid, objectLsn(state));
    if (state.newest !== undefined && (isNewer || isDoubted)) this.#tell(vid, state.newest);
  }

  /** An own object is stored. */
  wrote(vid: VolumeId, state: HeadState, record: CommitRecord | undefined): void {
    this.#heads.put(vid, state);
    this.#settle(vid, objectLsn(state));
    const known = this.#heads.get(vid);
    // others may have gone on from it already, and a read have shown that: their news come after this
    if (known?.newest !== undefined && objectLsn(known) > objectLsn(state)) {
      this.#tell(vid, known.newest);
    } else if (state.newest !== undefined) this.#tell(vid, state.newest, record);
  }

  #settle(vid: VolumeId, lsn: number): boolean {
    const doubted = this.#doubts.get(vid);
    if (doubted === undefined || lsn < doubted) return false;
    return this.#doubts.delete(vid);
  }

  #tell(vid: VolumeId, newest: RecordObject, record?: CommitRecord): void {
    const change: LogChange = {
      vid,
      lsn: newest.record.lsn,
      record,
      deleted: newest.deleted,
    };
    this.#subscribers.publish([change]);
  }
}
