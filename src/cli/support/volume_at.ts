/**
 * Volumes, and points in their history, on the command line.
 *
 * @module
 */

import { parseGid, type VolumeId } from "../../core/gid.ts";

/** A volume, and perhaps a point in its history. */
export interface VolumeAt {
  /** The volume. */
  readonly vid: VolumeId;
  /** What stood behind the `@`. */
  readonly at: string | undefined;
}

/**
 * Reads `VID` or `VID@AT`.
 *
 * @throws {GraftError} `invalid` when what stands before the `@` is no volume id.
 */
export function parseVolumeAt(text: string): VolumeAt {
  const cut = text.indexOf("@");
  if (cut < 0) return { vid: parseGid("volume", text), at: undefined };
  return { vid: parseGid("volume", text.slice(0, cut)), at: text.slice(cut + 1) };
}
