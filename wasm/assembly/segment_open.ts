import { tailChecksum } from "./segment_encode";
import {
  CODEC_RAW,
  CODEC_ZSTD,
  FORMAT_VERSION,
  FRAME_BYTES,
  FRAME_CODEC,
  FRAME_FIRST_RANK,
  FRAME_OFFSET,
  FRAME_PAGES,
  FRAME_PAGES_MAX,
  FRAME_STORED_BYTES,
  HEADER_BYTES,
  PAGE_BYTES,
  PAGE_HASH_BYTES,
  SEGMENT_PAGES_MAX,
  SEGMENT_VOLUMES_MAX,
  SID_BYTES,
  TAIL_BYTES_MAX,
  TRAILER_BYTES,
  TRAILER_CHECKSUM,
  TRAILER_DIRECTORY_BYTES,
  TRAILER_DIRECTORY_OFFSET,
  TRAILER_FEATURES,
  TRAILER_FRAMES,
  TRAILER_MAGIC,
  TRAILER_MAGIC_AT,
  TRAILER_PAGES,
  TRAILER_SID,
  TRAILER_VERSION,
  TRAILER_VOLUMES,
  VID_KIND,
  VOLUME_BYTES,
  VOLUME_FRAMES,
  VOLUME_KEY_ID,
  VOLUME_PAGE_SET_BYTES,
  VOLUME_PAGES,
} from "./segment_format";

// What is wrong with a tail. src/segment/segment_directory.ts has the sentences, in this order.
const FINE: i32 = 0;
const TOO_SHORT: i32 = 1;
const NO_TRAILER: i32 = 2;
const UNKNOWN_VERSION: i32 = 3;
const OTHER_SEGMENT: i32 = 4;
const WRONG_LENGTH: i32 = 5;
const WRONG_CHECKSUM: i32 = 6;
const UNKNOWN_FEATURE: i32 = 7;
const BAD_VOLUME: i32 = 8;
const UNKNOWN_KEY: i32 = 9;
const BAD_FRAME: i32 = 10;
const WRONG_TOTALS: i32 = 11;

// Where the walk over the volumes stands: the frames' offset that must come next, and the totals.
let nextOffset: u32 = 0;
let pagesSeen: u32 = 0;
let framesSeen: u32 = 0;

/**
 * Checks the end of a segment: its trailer and its directory, all but the page sets.
 *
 * @param tail The object's last `tailBytes` bytes.
 * @param objectBytes The length of the whole object.
 * @param sid The segment's id.
 * @param entries Where the place of each volume's entry goes, counted from `tail` (u32; room for 400).
 * @returns How many volumes there are; or a problem's number, negated.
 */
export function segmentOpen(
  tail: usize,
  tailBytes: u32,
  objectBytes: u32,
  sid: usize,
  entries: usize,
): i32 {
  if (tailBytes < TRAILER_BYTES || tailBytes > objectBytes) return -TOO_SHORT;
  const trailer = tail + tailBytes - TRAILER_BYTES;
  const problem = checkTrailer(trailer, tailBytes, objectBytes, sid);
  if (problem != FINE) return -problem;
  return walkVolumes(tail, trailer, entries);
}

function checkTrailer(trailer: usize, tailBytes: u32, objectBytes: u32, sid: usize): i32 {
  if (load<u64>(trailer, TRAILER_MAGIC_AT) != TRAILER_MAGIC) return NO_TRAILER;
  if (load<u16>(trailer, TRAILER_VERSION) != FORMAT_VERSION) return UNKNOWN_VERSION;
  if (memory.compare(trailer + TRAILER_SID, sid, SID_BYTES) != 0) return OTHER_SEGMENT;
  const offset = load<u32>(trailer, TRAILER_DIRECTORY_OFFSET);
  const length = load<u32>(trailer, TRAILER_DIRECTORY_BYTES);
  if (<u64>offset + length + TRAILER_BYTES != objectBytes) return WRONG_LENGTH;
  if (offset < HEADER_BYTES || length > TAIL_BYTES_MAX - TRAILER_BYTES) return WRONG_LENGTH;
  if (length > tailBytes - TRAILER_BYTES) return TOO_SHORT;
  const checksum = tailChecksum(trailer - length, length, sid);
  if (load<u64>(trailer, TRAILER_CHECKSUM) != checksum) return WRONG_CHECKSUM;
  return load<u32>(trailer, TRAILER_FEATURES) != 0 ? UNKNOWN_FEATURE : FINE;
}

function walkVolumes(tail: usize, trailer: usize, entries: usize): i32 {
  const volumes = load<u32>(trailer, TRAILER_VOLUMES);
  if (volumes == 0 || volumes > SEGMENT_VOLUMES_MAX) return -WRONG_TOTALS;
  nextOffset = HEADER_BYTES;
  pagesSeen = 0;
  framesSeen = 0;
  let at = trailer - load<u32>(trailer, TRAILER_DIRECTORY_BYTES);
  for (let i: u32 = 0; i < volumes; i++) {
    const problem = checkVolume(at, trailer);
    if (problem != FINE) return -problem;
    if (i > 0 && !follows(at, tail + load<u32>(entries + (<usize>i << 2) - 4))) return -BAD_VOLUME;
    store<u32>(entries + (<usize>i << 2), <u32>(at - tail));
    at += entryBytes(at);
  }
  const agrees = at == trailer &&
    pagesSeen == load<u32>(trailer, TRAILER_PAGES) &&
    framesSeen == load<u32>(trailer, TRAILER_FRAMES) &&
    nextOffset == load<u32>(trailer, TRAILER_DIRECTORY_OFFSET) &&
    pagesSeen <= SEGMENT_PAGES_MAX;
  return agrees ? <i32>volumes : -WRONG_TOTALS;
}

function follows(entry: usize, previous: usize): bool {
  return memory.compare(previous, entry, SID_BYTES) < 0;
}

/** The length of a volume's entry with its frames and its page set; only for one that was checked. */
function entryBytes(entry: usize): usize {
  return VOLUME_BYTES + load<u32>(entry, VOLUME_FRAMES) * FRAME_BYTES +
    load<u32>(entry, VOLUME_PAGE_SET_BYTES);
}

function checkVolume(entry: usize, end: usize): i32 {
  const room = <u32>(end - entry);
  if (room < VOLUME_BYTES || load<u8>(entry) != VID_KIND) return BAD_VOLUME;
  if (load<u32>(entry, VOLUME_KEY_ID) != 0) return UNKNOWN_KEY;
  const pages = load<u32>(entry, VOLUME_PAGES);
  const frames = load<u32>(entry, VOLUME_FRAMES);
  if (pages == 0 || pages > SEGMENT_PAGES_MAX) return BAD_VOLUME;
  const pageSetBytes = load<u32>(entry, VOLUME_PAGE_SET_BYTES);
  if (<u64>VOLUME_BYTES + <u64>frames * FRAME_BYTES + pageSetBytes > room) return BAD_VOLUME;
  pagesSeen += pages;
  framesSeen += frames;
  return walkFrames(entry + VOLUME_BYTES, frames, pages);
}

function walkFrames(at: usize, frames: u32, pages: u32): i32 {
  let rank: u32 = 0;
  for (let i: u32 = 0; i < frames; i++) {
    if (load<u16>(at, FRAME_FIRST_RANK) != rank || !checkFrame(at)) return BAD_FRAME;
    rank += load<u8>(at, FRAME_PAGES);
    at += FRAME_BYTES;
  }
  return rank == pages ? FINE : BAD_FRAME;
}

/** Frames lie back to back in the order of the directory. Compressed ones are smaller than raw ones. */
function checkFrame(entry: usize): bool {
  const pages: u32 = load<u8>(entry, FRAME_PAGES);
  const stored = load<u32>(entry, FRAME_STORED_BYTES);
  const codec = load<u8>(entry, FRAME_CODEC);
  if (pages == 0 || pages > FRAME_PAGES_MAX || load<u32>(entry, FRAME_OFFSET) != nextOffset) return false;
  nextOffset += stored;
  const rawBytes = pages * (PAGE_HASH_BYTES + PAGE_BYTES);
  if (codec == CODEC_RAW) return stored == rawBytes;
  return codec == CODEC_ZSTD && stored > pages * PAGE_HASH_BYTES && stored < rawBytes;
}
