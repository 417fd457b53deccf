import { contentDigest } from "./content_digest";
import {
  FORMAT_VERSION,
  FRAME_CODEC,
  FRAME_FIRST_RANK,
  FRAME_HASH,
  FRAME_OFFSET,
  FRAME_PAGES,
  FRAME_STORED_BYTES,
  HEADER_BYTES,
  HEADER_MAGIC,
  HEADER_SID,
  HEADER_VERSION,
  SID_BYTES,
  TRAILER_BYTES,
  TRAILER_CHECKSUM,
  TRAILER_DIRECTORY_BYTES,
  TRAILER_DIRECTORY_OFFSET,
  TRAILER_FRAMES,
  TRAILER_MAGIC,
  TRAILER_MAGIC_AT,
  TRAILER_PAGES,
  TRAILER_SID,
  TRAILER_VERSION,
  TRAILER_VOLUMES,
  VOLUME_BYTES,
  VOLUME_DIGEST,
  VOLUME_FRAMES,
  VOLUME_PAGE_SET_BYTES,
  VOLUME_PAGES,
} from "./segment_format";
import { xxh64 } from "./xxh64";

/** Writes a segment's header at `at`. */
export function segmentPutHeader(at: usize, sid: usize): void {
  memory.fill(at, 0, HEADER_BYTES);
  store<u64>(at, HEADER_MAGIC);
  store<u16>(at, FORMAT_VERSION, HEADER_VERSION);
  memory.copy(at + HEADER_SID, sid, SID_BYTES);
}

/** Writes a frame's entry at `at`, with the hash of the `storedBytes` bytes at `stored`. */
export function segmentPutFrame(
  at: usize,
  firstRank: u32,
  pages: u32,
  codec: u32,
  offset: u32,
  stored: usize,
  storedBytes: u32,
): void {
  store<u16>(at, <u16>firstRank, FRAME_FIRST_RANK);
  store<u8>(at, <u8>pages, FRAME_PAGES);
  store<u8>(at, <u8>codec, FRAME_CODEC);
  store<u32>(at, offset, FRAME_OFFSET);
  store<u32>(at, storedBytes, FRAME_STORED_BYTES);
  store<u64>(at, xxh64(stored, storedBytes, 0), FRAME_HASH);
}

/**
 * Writes a volume's entry at `at`, but for the volume's id: the first 16 bytes are the caller's. `indexes`
 * (u32) and `hashes` (u64) are those of its pages, ascending by index.
 */
export function segmentPutVolume(
  at: usize,
  pageSetBytes: u32,
  pages: u32,
  frames: u32,
  indexes: usize,
  hashes: usize,
): void {
  memory.fill(at + SID_BYTES, 0, VOLUME_BYTES - SID_BYTES);
  contentDigest(indexes, hashes, pages, at + VOLUME_DIGEST);
  store<u32>(at, pageSetBytes, VOLUME_PAGE_SET_BYTES);
  store<u32>(at, pages, VOLUME_PAGES);
  store<u32>(at, frames, VOLUME_FRAMES);
}

/** Writes the trailer behind the directory, which is `directoryBytes` at `directory`. */
export function segmentPutTrailer(
  directory: usize,
  directoryBytes: u32,
  directoryOffset: u32,
  volumes: u32,
  pages: u32,
  frames: u32,
  sid: usize,
): void {
  const at = directory + directoryBytes;
  memory.fill(at, 0, TRAILER_BYTES);
  store<u32>(at, directoryOffset, TRAILER_DIRECTORY_OFFSET);
  store<u32>(at, directoryBytes, TRAILER_DIRECTORY_BYTES);
  store<u32>(at, volumes, TRAILER_VOLUMES);
  memory.copy(at + TRAILER_SID, sid, SID_BYTES);
  store<u32>(at, pages, TRAILER_PAGES);
  store<u32>(at, frames, TRAILER_FRAMES);
  store<u16>(at, FORMAT_VERSION, TRAILER_VERSION);
  store<u64>(at, tailChecksum(directory, directoryBytes, sid), TRAILER_CHECKSUM);
  store<u64>(at, TRAILER_MAGIC, TRAILER_MAGIC_AT);
}

/** The hash of the directory and of the trailer before the hash, seeded by the segment's id. */
export function tailChecksum(directory: usize, directoryBytes: u32, sid: usize): u64 {
  return xxh64(directory, directoryBytes + TRAILER_CHECKSUM, xxh64(sid, SID_BYTES, 0));
}
