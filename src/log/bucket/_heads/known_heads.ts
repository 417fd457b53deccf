// The newest heads that this process knows of.

import { LRUCache } from "lru-cache";
import type { VolumeId } from "../../../core/gid.ts";
import type { Lsn } from "../../../core/lsn.ts";
import { isFold } from "../_format/positions.ts";
import type { RecordRun } from "../_format/record_run.ts";
import { FOLDS_BYTES_MAX, HEADS_BYTES_MAX } from "../_limits.ts";
import { type HeadState, objectLsn } from "./head_state.ts";

/** What an entry costs beside its records. */
const ENTRY_BYTES = 800;

/** How much of them is kept. */
export interface KnownHeadsBounds {
  /** Default: 32 MiB. */
  readonly headsBytesMax?: number;
  /** Default: 32 MiB. */
  readonly foldsBytesMax?: number;
}

/**
 * Heads with the records that their objects carry, and for each volume what its newest object at a
 * multiple of 64 carries, which the next of its kind will carry on.
 *
 * A head that comes back after it was dropped may be an old one: it is still what was true at its moment.
 */
export class KnownHeads {
  readonly #heads: LRUCache<VolumeId, HeadState>;
  readonly #folds: LRUCache<VolumeId, RecordRun>;

  constructor(bounds: KnownHeadsBounds = {}) {
    this.#heads = new LRUCache({
      maxSize: bounds.headsBytesMax ?? HEADS_BYTES_MAX,
      sizeCalculation: ({ newest }) => ENTRY_BYTES + (newest?.run.bytes.length ?? 0),
    });
    this.#folds = new LRUCache({
      maxSize: bounds.foldsBytesMax ?? FOLDS_BYTES_MAX,
      sizeCalculation: ({ bytes }) => ENTRY_BYTES + bytes.length,
    });
  }

  get(vid: VolumeId): HeadState | undefined {
    return this.#heads.get(vid);
  }

  /** The newest fold known of. */
  fold(vid: VolumeId): RecordRun | undefined {
    return this.#folds.get(vid);
  }

  /** Notes that the name at `lsn` is taken, by an object that nobody here has read. */
  pass(vid: VolumeId, lsn: Lsn): void {
    const known = this.#heads.get(vid);
    if (known !== undefined && objectLsn(known) + 1 === lsn) {
      this.#heads.set(vid, { ...known, isPassed: true });
    }
  }

  /** Keeps a head, unless what is known is newer, or was known later. That a volume has none is not kept. */
  put(vid: VolumeId, state: HeadState): void {
    const { newest, knownAt } = state;
    if (newest === undefined) return;
    const known = this.#heads.get(vid);
    if (known !== undefined) {
      if (objectLsn(known) > newest.lsn) return;
      const isSame = objectLsn(known) === newest.lsn;
      if (isSame && known.knownAt.monotonicMs > knownAt.monotonicMs) return;
    }
    this.#heads.set(vid, state);
    if (isFold(newest.run.top)) this.#folds.set(vid, newest.run);
  }
}
