/**
 * Every limit that peers, formats and stores share. A limit of one room stays in that room.
 *
 * @module
 */

import { assert } from "./assert.ts";

/** Bytes in a page. */
export const PAGE_SIZE = 4096;
/** The highest page count, and so the highest page index, of a volume. */
export const PAGE_COUNT_MAX = 2 ** 28;
/** Pages that one `read_pages` may ask for. */
export const READ_PAGES_MAX = 1024;
/** Segments that one commit may name. */
export const COMMIT_SEGMENTS_MAX = 64;

/**
 * Pages after which a server takes what came of a `write_pages` as a part of its own, 16 MiB; before
 * that the request has named its volume.
 */
export const WRITE_PART_PAGES = 4096;

/** Pages of a segment. */
export const SEGMENT_PAGES_MAX = 16_384;
/** Volumes of a segment. */
export const SEGMENT_VOLUMES_MAX = 400;
/** Bytes of a segment's directory and trailer together: one ranged read of this tail opens it. */
export const SEGMENT_TAIL_BYTES_MAX = 60 * 1024;
/** Pages of a frame. */
export const FRAME_PAGES_MAX = 16;

/** Bytes of a page set in an answer: a larger union is answered as one range. */
export const GRAFT_BYTES_MAX = 4 * 1024 * 1024;
/** Bytes of an answer that the v0.1 client accepts. */
export const RESPONSE_BYTES_MAX = 8 * 1024 * 1024;

assert(SEGMENT_PAGES_MAX % FRAME_PAGES_MAX === 0, "A full segment must hold whole frames");
assert(READ_PAGES_MAX * (PAGE_SIZE + 16) < RESPONSE_BYTES_MAX, "A full read must fit one answer");
