/**
 * Opening segments: from the end of an object to where its pages are.
 *
 * @module
 */

import { alloc, copyIn, graft, memoryView, reset } from "../../wasm/mod.ts";
import { DIGEST_BYTES } from "../core/content_digest.ts";
import { isGraftError } from "../core/errors.ts";
import { GID_BYTES, gidFromBytes, gidToBytes, type SegmentId, type VolumeId } from "../core/gid.ts";
import {
  PAGE_COUNT_MAX,
  SEGMENT_PAGES_MAX,
  SEGMENT_TAIL_BYTES_MAX,
  SEGMENT_VOLUMES_MAX,
} from "../core/limits.ts";
import { PageSet } from "../core/page_set.ts";
import { damagedSegment } from "./_damage.ts";
import {
  FRAME_ENTRY_BYTES,
  HEADER_BYTES,
  rawFrameBytes,
  VOLUME_ENTRY,
  VOLUME_ENTRY_BYTES,
} from "./segment_format.ts";
import { VolumeDirectory } from "./volume_directory.ts";

export { VolumeDirectory } from "./volume_directory.ts";

/** The end of a segment's object. */
export interface SegmentTail {
  /** Its last bytes: the last 60 KiB open any segment; the whole object where that is shorter. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The length of the whole object. */
  readonly sizeBytes: number;
}

const PLACE_BYTES = 4;
/** The object and its map. */
const OBJECT_BYTES = 400;
/** No segment is longer, so that any length that the module is asked about fits its numbers. */
const SEGMENT_BYTES_MAX = HEADER_BYTES + rawFrameBytes(SEGMENT_PAGES_MAX) + SEGMENT_TAIL_BYTES_MAX;

/** What `segmentOpen` (wasm/assembly/segment_open.ts) found, by its number. */
const PROBLEMS = [
  "",
  "it is cut short",
  "it does not end with a segment's trailer",
  "its format version is unknown",
  "it is another segment",
  "its length is not what its trailer says",
  "its directory fails its checksum",
  "it needs a feature that is unknown",
  "its directory lists a malformed volume",
  "a volume is encrypted with an unknown key",
  "its directory lists a malformed frame",
  "the totals of its directory are off",
];

/** The directory of a segment, in memory. */
export class SegmentDirectory {
  /** The segment. */
  readonly sid: SegmentId;
  /** The length of its object. */
  readonly sizeBytes: number;
  /** About how many bytes this takes. */
  readonly memoryBytes: number;
  readonly #volumes: ReadonlyMap<VolumeId, VolumeDirectory>;

  /** Takes validated parts; {@linkcode openSegment} is the way to get one. */
  constructor(sid: SegmentId, sizeBytes: number, volumes: readonly VolumeDirectory[]) {
    this.sid = sid;
    this.sizeBytes = sizeBytes;
    this.#volumes = new Map(volumes.map((volume) => [volume.vid, volume]));
    this.memoryBytes = volumes.reduce(
      (bytes, volume) => bytes + volume.memoryBytes,
      OBJECT_BYTES,
    );
  }

  /** What the segment holds of a volume; undefined when that is nothing. */
  volume(vid: VolumeId): VolumeDirectory | undefined {
    return this.#volumes.get(vid);
  }

  /** All that it holds, sorted by volume. */
  volumes(): IterableIterator<VolumeDirectory> {
    return this.#volumes.values();
  }
}

/**
 * Opens a segment.
 *
 * The bytes may be anything: nothing is read outside of them, and no more memory is taken than about
 * twice their length.
 *
 * @param sid The segment that they are said to be of.
 * @param tail The end of its object.
 * @throws {GraftError} `damaged`, naming the segment, when anything is not as it was written, or was
 * written in a way that this version does not know.
 */
export function openSegment(sid: SegmentId, tail: SegmentTail): SegmentDirectory {
  const { bytes, sizeBytes } = tail;
  if (sizeBytes > SEGMENT_BYTES_MAX) throw damagedSegment(sid, "it is longer than any segment");
  const places = volumePlaces(sid, bytes, sizeBytes);
  return new SegmentDirectory(sid, sizeBytes, places.map((at) => readVolume(sid, bytes, at)));
}

/** Checks all but the page sets; returns where each volume's entry is in `bytes`. */
function volumePlaces(sid: SegmentId, bytes: Uint8Array, sizeBytes: number): number[] {
  reset();
  const sidAt = copyIn(gidToBytes(sid));
  const placesAt = alloc(SEGMENT_VOLUMES_MAX * PLACE_BYTES);
  const tailAt = copyIn(bytes);
  const outcome = graft.segmentOpen(tailAt, bytes.length, sizeBytes, sidAt, placesAt);
  if (outcome < 0) throw damagedSegment(sid, PROBLEMS[-outcome]);
  const view = memoryView();
  return Array.from(
    { length: outcome },
    (_, i) => view.getUint32(placesAt + i * PLACE_BYTES, true),
  );
}

function readVolume(
  sid: SegmentId,
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
): VolumeDirectory {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const frameCount = view.getUint32(VOLUME_ENTRY.frames, true);
  const pageSetAt = at + VOLUME_ENTRY_BYTES + frameCount * FRAME_ENTRY_BYTES;
  const pageSetBytes = view.getUint32(VOLUME_ENTRY.pageSetBytes, true);
  const pageSet = readPageSet(sid, bytes.subarray(pageSetAt, pageSetAt + pageSetBytes));
  if (pageSet.size !== view.getUint32(VOLUME_ENTRY.pages, true)) {
    throw damagedSegment(sid, "a page set has not as many members as its frames have pages");
  }
  // one copy for both, as the tail may be far longer than what is kept of it
  const kept = bytes.slice(at, pageSetAt);
  return new VolumeDirectory({
    sid,
    vid: gidFromBytes("volume", kept.subarray(0, GID_BYTES)),
    pageSet,
    digest: kept.subarray(VOLUME_ENTRY.digest, VOLUME_ENTRY.digest + DIGEST_BYTES),
    frames: kept.subarray(VOLUME_ENTRY_BYTES),
  });
}

function readPageSet(sid: SegmentId, bytes: Uint8Array): PageSet {
  let pageSet: PageSet;
  try {
    pageSet = PageSet.decode(bytes);
  } catch (error) {
    if (!isGraftError(error, "invalid")) throw error;
    throw damagedSegment(sid, "a page set does not decode", error);
  }
  if (pageSet.has(0) || (pageSet.last ?? 0) > PAGE_COUNT_MAX) {
    throw damagedSegment(sid, "a page set holds what is no page index");
  }
  return pageSet;
}
