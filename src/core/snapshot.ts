/**
 * What a volume looks like at one LSN.
 *
 * @module
 */

import type { ClientId, VolumeId } from "./gid.ts";
import type { Lsn } from "./lsn.ts";
import type { PageCount } from "./page.ts";
import type { PageSet } from "./page_set.ts";
import type { SegmentId } from "./gid.ts";

/** One version of a volume. */
export interface Snapshot {
  /** The volume. */
  readonly vid: VolumeId;
  /** The client whose commit made it. */
  readonly cid: ClientId;
  /** Its place in the volume's line. */
  readonly lsn: Lsn;
  /** The oldest LSN that is still readable. */
  readonly checkpointLsn: Lsn;
  /** How many pages the volume has. */
  readonly pageCount: PageCount;
  /** When it was committed, in milliseconds since 1970; never before its predecessor. */
  readonly timestampMs: number;
}

/** A segment as a commit names it: which pages of the volume it holds. */
export interface SegmentUse {
  /** The segment. */
  readonly sid: SegmentId;
  /** The pages of the volume that it holds. */
  readonly pageSet: PageSet;
}
