/**
 * Volumes, and points in their history, on the command line.
 *
 * @module
 */

import { systemClock } from "../../core/clock.ts";
import { parseGid, type VolumeId } from "../../core/gid.ts";
import { parseMoment } from "../../server/moment.ts";

/** A volume, and perhaps a point in its history. */
export interface VolumeAt {
  /** The volume. */
  readonly vid: VolumeId;
  /** What stood behind the `@`. */
  readonly at: string | undefined;
}

/**
 * Reads `VID` or `VID@AT`. A wrong time is refused here, before anything is called.
 *
 * @throws {GraftError} `invalid` when what stands before the `@` is no volume id, or what stands behind it neither
 * an LSN nor a time.
 */
export function parseVolumeAt(text: string): VolumeAt {
  const cut = text.indexOf("@");
  if (cut < 0) return { vid: parseGid("volume", text), at: undefined };
  const volume = { vid: parseGid("volume", text.slice(0, cut)), at: text.slice(cut + 1) };
  parseMoment(volume.at, systemClock.now());
  return volume;
}
