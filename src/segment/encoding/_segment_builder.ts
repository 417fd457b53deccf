// Lays a segment out: frames as they are compressed, the directory beside them, then the trailer.
//
// All of it lives in the WebAssembly module's arena, so a builder must be used from its making to
// `finish` without anything else that resets the arena in between. Each page is copied into the arena
// (where it is hashed, next to the other pages of its frame) and from there by the codec; the frame comes
// back, is hashed and copied out.

import {
  alloc,
  copyIn,
  copyOut,
  graft,
  memoryBytes,
  type Pointer,
  reset,
} from "../../../wasm/mod.ts";
import { assert } from "../../core/assert.ts";
import { type Digest, DIGEST_BYTES } from "../../core/content_digest.ts";
import { GID_BYTES, gidToBytes, type SegmentId, type VolumeId } from "../../core/gid.ts";
import { FRAME_PAGES_MAX, PAGE_SIZE, SEGMENT_TAIL_BYTES_MAX } from "../../core/limits.ts";
import type { PageSet } from "../../core/page_set.ts";
import type { FrameCodec } from "../codec.ts";
import type { KeptFrame } from "../segment.ts";
import {
  DIRECTORY_BYTES_MAX,
  FRAME_CODEC,
  FRAME_ENTRY_BYTES,
  HEADER_BYTES,
  PAGE_HASH_BYTES,
  rawFrameBytes,
  TRAILER_BYTES,
  VOLUME_ENTRY,
  VOLUME_ENTRY_BYTES,
} from "../segment_format.ts";

/** Pages of one volume in any order; a `PageBuffer` is one. */
export interface PageSource {
  /** How many. */
  readonly count: number;
  /** The index of each. */
  readonly indexes: Uint32Array<ArrayBuffer>;
  /** The bytes of the page at a position, from 0. */
  page(at: number): Uint8Array;
}

const INDEX_BYTES = 4;
const ORDER_BYTES = 4;
const SORT_SCRATCH_BYTES = 16;

/** What a {@linkcode SegmentBuilder} is made of. */
export interface SegmentBuilderParts {
  readonly sid: SegmentId;
  readonly codec: FrameCodec;
  /** The page count of the largest volume. */
  readonly pagesMax: number;
  /** Whether `frames` is filled. */
  readonly keepFrames: boolean;
}

/** Builds one segment. */
export class SegmentBuilder {
  /** For each volume added its frames, where they are to be kept. */
  readonly frames: KeptFrame[][] = [];
  readonly #codec: FrameCodec;
  readonly #keepFrames: boolean;
  readonly #sid: Pointer;
  readonly #directory: Pointer;
  readonly #indexes: Pointer;
  readonly #order: Pointer;
  /** Scratch while pages are sorted, then their hashes. */
  readonly #hashes: Pointer;
  readonly #raw: Pointer;
  readonly #stored: Pointer;
  readonly #parts: Uint8Array<ArrayBuffer>[] = [];
  #directoryBytes = 0;
  #offset = HEADER_BYTES;
  #volumes = 0;
  #pages = 0;
  #frameCount = 0;

  /** Takes the arena, until `finish`. */
  constructor({ sid, codec, pagesMax, keepFrames }: SegmentBuilderParts) {
    this.#codec = codec;
    this.#keepFrames = keepFrames;
    reset();
    this.#sid = copyIn(gidToBytes(sid));
    this.#directory = alloc(SEGMENT_TAIL_BYTES_MAX);
    this.#indexes = alloc(pagesMax * INDEX_BYTES);
    this.#order = alloc(pagesMax * ORDER_BYTES);
    this.#hashes = alloc(pagesMax * SORT_SCRATCH_BYTES);
    this.#raw = alloc(FRAME_PAGES_MAX * PAGE_SIZE);
    this.#stored = alloc(rawFrameBytes(FRAME_PAGES_MAX));
    graft.segmentPutHeader(this.#stored, this.#sid);
    this.#parts.push(copyOut(this.#stored, HEADER_BYTES));
  }

  /** Adds a volume, which must sort after the one before; returns its content digest. */
  addVolume(vid: VolumeId, pages: PageSource, pageSet: PageSet): Digest {
    const entry = this.#directory + this.#directoryBytes;
    const frames = Math.ceil(pages.count / FRAME_PAGES_MAX);
    const pageSetAt = entry + VOLUME_ENTRY_BYTES + frames * FRAME_ENTRY_BYTES;
    this.#directoryBytes = pageSetAt + pageSet.bytes.length - this.#directory;
    assert(this.#directoryBytes <= DIRECTORY_BYTES_MAX, "A segment's directory is too large");
    this.#sortPages(pages);
    if (this.#keepFrames) this.frames.push([]);
    for (let frame = 0; frame < frames; frame++) {
      this.#addFrame(pages, frame, entry + VOLUME_ENTRY_BYTES + frame * FRAME_ENTRY_BYTES);
    }
    memoryBytes().set(gidToBytes(vid), entry);
    memoryBytes().set(pageSet.bytes, pageSetAt);
    graft.segmentPutVolume(
      entry,
      pageSet.bytes.length,
      pages.count,
      frames,
      this.#indexes,
      this.#hashes,
    );
    this.#volumes++;
    this.#pages += pages.count;
    this.#frameCount += frames;
    return copyOut(entry + VOLUME_ENTRY.digest, DIGEST_BYTES);
  }

  /** The segment's bytes. */
  finish(): Uint8Array<ArrayBuffer> {
    graft.segmentPutTrailer(
      this.#directory,
      this.#directoryBytes,
      this.#offset,
      this.#volumes,
      this.#pages,
      this.#frameCount,
      this.#sid,
    );
    const tail = memoryBytes().subarray(
      this.#directory,
      this.#directory + this.#directoryBytes + TRAILER_BYTES,
    );
    const bytes = new Uint8Array(this.#offset + tail.length);
    bytes.set(tail, this.#offset);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    assert(at === this.#offset, "A segment's frames are not as long as they were");
    return bytes;
  }

  #sortPages(pages: PageSource): void {
    const { buffer, byteOffset, byteLength } = pages.indexes;
    memoryBytes().set(new Uint8Array(buffer, byteOffset, byteLength), this.#indexes);
    const valid = graft.segmentOrder(this.#indexes, pages.count, this.#order, this.#hashes);
    assert(Boolean(valid), "A volume's pages have an index twice, or one that is none");
  }

  #addFrame(pages: PageSource, frame: number, entry: Pointer): void {
    const firstRank = frame * FRAME_PAGES_MAX;
    const count = Math.min(FRAME_PAGES_MAX, pages.count - firstRank);
    this.#gather(pages, firstRank, count);
    graft.xxh64Pages(this.#raw, count, this.#stored);
    memoryBytes().copyWithin(
      this.#hashes + firstRank * PAGE_HASH_BYTES,
      this.#stored,
      this.#stored + count * PAGE_HASH_BYTES,
    );
    this.frames.at(-1)?.push({
      pages: copyOut(this.#raw, count * PAGE_SIZE),
      hashes: copyOut(this.#stored, count * PAGE_HASH_BYTES),
    });
    const { codec, length } = this.#pack(count);
    graft.segmentPutFrame(entry, firstRank, count, codec, this.#offset, this.#stored, length);
    this.#parts.push(copyOut(this.#stored, length));
    this.#offset += length;
  }

  /** Copies the pages of ranks from `firstRank` on next to each other. */
  #gather(pages: PageSource, firstRank: number, count: number): void {
    const memory = memoryBytes();
    const order = new Uint32Array(memory.buffer, this.#order + firstRank * ORDER_BYTES, count);
    for (let i = 0; i < count; i++) memory.set(pages.page(order[i]), this.#raw + i * PAGE_SIZE);
  }

  /** Puts the gathered pages behind their hashes, compressed if that helps. */
  #pack(count: number): { codec: number; length: number } {
    const memory = memoryBytes();
    const rawBytes = count * PAGE_SIZE;
    const at = this.#stored + count * PAGE_HASH_BYTES;
    const compressed = this.#codec.compress(memory.subarray(this.#raw, this.#raw + rawBytes));
    if (compressed.length >= rawBytes) {
      memory.copyWithin(at, this.#raw, this.#raw + rawBytes);
      return { codec: FRAME_CODEC.raw, length: rawFrameBytes(count) };
    }
    memory.set(compressed, at);
    return { codec: FRAME_CODEC.zstd, length: count * PAGE_HASH_BYTES + compressed.length };
  }
}

assert(VOLUME_ENTRY.digest === GID_BYTES, "A volume's entry starts with its id, then its digest");
