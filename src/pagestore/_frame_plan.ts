// Which frames to leave as they are stored.

import { GraftError } from "../core/errors.ts";
import type { VolumeId } from "../core/gid.ts";
import type { Lsn } from "../core/lsn.ts";
import { PageSet } from "../core/page_set.ts";
import type { SegmentDirectory, VolumeDirectory } from "../segment/segment_directory.ts";
import type { FrameCodecName } from "../wire/v1/mod.ts";
import type { Located, VolumeIndex } from "./volume_index.ts";

/** A frame that is to be fetched as it is. */
export interface PlannedFrame {
  readonly vid: VolumeId;
  /** Its number within the volume's part of the segment. */
  readonly number: number;
  /** The index of each of its pages. */
  readonly indexes: Uint32Array<ArrayBuffer>;
  /** Which of them are those of the LSN, a bit each. */
  readonly mask: number;
  readonly codec: FrameCodecName;
}

/** How the wanted pages are to be read. */
export interface FramePlan {
  /** Whole frames by the slot of their segment, ascending. */
  readonly whole: readonly { readonly slot: number; readonly frames: readonly PlannedFrame[] }[];
  /** The pages of all other frames. */
  readonly rest: PageSet;
}

/** A frame is left as it is when at least this share of its pages is wanted. */
const WHOLE_SHARE = 1 / 2;

/**
 * Decides for each frame that holds a wanted page.
 *
 * @param directories The opened directory of each segment, by its slot.
 */
export function planFrames(
  index: VolumeIndex,
  lsn: Lsn,
  located: Located,
  directories: ReadonlyMap<number, SegmentDirectory>,
): FramePlan {
  const whole: { slot: number; frames: PlannedFrame[] }[] = [];
  const rest: number[] = [];
  for (const [slot, positions] of positionsBySlot(located)) {
    const volume = volumeOf(directories.get(slot), index.vid);
    const frames: PlannedFrame[] = [];
    for (const [number, wanted] of positionsByFrame(volume, located, positions)) {
      if (wanted.length >= volume.frameEntry(number).pages * WHOLE_SHARE) {
        frames.push(planFrame(index, lsn, slot, volume, number));
      } else rest.push(...wanted.map((at) => located.indexes[at]));
    }
    frames.sort((a, b) => a.number - b.number);
    if (frames.length > 0) whole.push({ slot, frames });
  }
  return { whole, rest: PageSet.from(rest) };
}

function planFrame(
  index: VolumeIndex,
  lsn: Lsn,
  slot: number,
  volume: VolumeDirectory,
  number: number,
): PlannedFrame {
  const { pages, raw } = volume.frameEntry(number);
  const first = volume.firstRank(number);
  const indexes = Uint32Array.from({ length: pages }, (_, i) => volume.pageSet.select(first + i)!);
  const found = index.locate(indexes, lsn);
  let mask = 0;
  for (let at = 0; at < found.count; at++) {
    if (found.segments[at] === slot) mask |= 1 << (found.ranks[at] - first);
  }
  return { vid: index.vid, number, indexes, mask, codec: raw ? "raw" : "zstd" };
}

function positionsBySlot(located: Located): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (let at = 0; at < located.count; at++) push(groups, located.segments[at], at);
  return groups;
}

function positionsByFrame(
  volume: VolumeDirectory,
  located: Located,
  positions: readonly number[],
): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  for (const at of positions) push(groups, volume.frameOf(located.ranks[at]), at);
  return groups;
}

function push(groups: Map<number, number[]>, key: number, at: number): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [at]);
  else group.push(at);
}

function volumeOf(directory: SegmentDirectory | undefined, vid: VolumeId): VolumeDirectory {
  const volume = directory?.volume(vid);
  if (volume !== undefined) return volume;
  throw new GraftError(
    "damaged",
    `Cannot read segment "${directory?.sid}": it lacks volume "${vid}"`,
  );
}
