/**
 * Frames: up to 16 pages of one volume that are stored together.
 *
 * @module
 */

import { alloc, copyIn, graft, memoryBytes, reset } from "../../wasm/mod.ts";
import { assert } from "../core/assert.ts";
import { xxh64 } from "../core/content_digest.ts";
import { type GraftError, isGraftError } from "../core/errors.ts";
import { FRAME_PAGES_MAX, PAGE_SIZE } from "../core/limits.ts";
import { damagedSegment } from "./_damage.ts";
import type { FrameCodec } from "./codec.ts";
import { PAGE_HASH_BYTES } from "./segment_format.ts";
import type { FrameEntry, VolumeDirectory } from "./volume_directory.ts";

/** The object, its two arrays and a view of each page. */
const OBJECT_BYTES = 300 + FRAME_PAGES_MAX * 120;

/** The pages of a frame, every one checked against its hash. */
export class DecodedFrame {
  /** The pages, one after the other. */
  readonly pages: Uint8Array<ArrayBuffer>;
  /** The xxh64 of each page, 8 bytes little-endian each. */
  readonly hashes: Uint8Array<ArrayBuffer>;
  /** Views of the pages read so far: making one costs as much as copying the page. */
  readonly #views: Uint8Array<ArrayBuffer>[] = [];

  /** Takes verified parts; {@linkcode decodeFrame} is the way to get one. */
  constructor(pages: Uint8Array<ArrayBuffer>, hashes: Uint8Array<ArrayBuffer>) {
    assert(
      pages.length / PAGE_SIZE === hashes.length / PAGE_HASH_BYTES,
      "A frame needs one hash for each page",
    );
    this.pages = pages;
    this.hashes = hashes;
  }

  /** How many pages, from 1 to 16. */
  get count(): number {
    return this.hashes.length / PAGE_HASH_BYTES;
  }

  /** About how many bytes this takes. */
  get memoryBytes(): number {
    return OBJECT_BYTES + this.pages.length + this.hashes.length;
  }

  /** The 4,096 bytes of a page. A view: do not write to it. */
  page(slot: number): Uint8Array<ArrayBuffer> {
    assert(slot >= 0 && slot < this.count, "A frame has no such slot");
    return this.#views[slot] ??= this.pages.subarray(slot * PAGE_SIZE, (slot + 1) * PAGE_SIZE);
  }

  /** The hash of a page, 8 bytes little-endian. A view: do not write to it. */
  hash(slot: number): Uint8Array<ArrayBuffer> {
    assert(slot >= 0 && slot < this.count, "A frame has no such slot");
    return this.hashes.subarray(slot * PAGE_HASH_BYTES, (slot + 1) * PAGE_HASH_BYTES);
  }
}

/**
 * Decodes a frame and checks all its hashes.
 *
 * @param volume The directory that names the frame.
 * @param frame Its number there.
 * @param stored The bytes at `volume.frameRange(frame)` of the object.
 * @param codec Decompresses them.
 * @throws {GraftError} `damaged`, naming segment and frame, when they are not what was written.
 */
export function decodeFrame(
  volume: VolumeDirectory,
  frame: number,
  stored: Uint8Array,
  codec: FrameCodec,
): DecodedFrame {
  const refuse = refusalOf(volume, frame);
  const entry = volume.frameEntry(frame);
  verifyFrame(volume, frame, stored);
  const hashes = stored.slice(0, entry.pages * PAGE_HASH_BYTES);
  const pages = unpack(entry, stored.subarray(hashes.length), codec, refuse);
  if (!pagesMatch(pages, hashes)) throw refuse("holds a page that fails its checksum");
  return new DecodedFrame(pages, hashes);
}

/**
 * Checks that a frame is stored as it was written, without decoding it.
 *
 * @returns The bytes.
 * @throws {GraftError} `damaged`, naming segment and frame.
 */
export function verifyFrame<B extends Uint8Array>(
  volume: VolumeDirectory,
  frame: number,
  stored: B,
): B {
  const refuse = refusalOf(volume, frame);
  const entry = volume.frameEntry(frame);
  if (stored.length !== entry.storedBytes) {
    throw refuse(`has ${stored.length} bytes instead of ${entry.storedBytes}`);
  }
  if (xxh64(stored, 0n) !== entry.hash) throw refuse("fails its checksum");
  return stored;
}

type Refusal = (state: string, cause?: unknown) => GraftError;

function refusalOf(volume: VolumeDirectory, frame: number): Refusal {
  return (state, cause) =>
    damagedSegment(volume.sid, `frame ${frame} of volume "${volume.vid}" ${state}`, cause);
}

function unpack(
  entry: FrameEntry,
  payload: Uint8Array,
  codec: FrameCodec,
  refuse: Refusal,
): Uint8Array<ArrayBuffer> {
  const rawBytes = entry.pages * PAGE_SIZE;
  if (entry.raw && payload.length !== rawBytes) throw refuse("is not as long as its pages");
  if (entry.raw) return payload.slice();
  try {
    return codec.decompress(payload, rawBytes);
  } catch (error) {
    if (!isGraftError(error, "damaged")) throw error;
    throw refuse("does not decompress", error);
  }
}

function pagesMatch(pages: Uint8Array, hashes: Uint8Array): boolean {
  reset();
  const pagesAt = copyIn(pages);
  const hashesAt = alloc(hashes.length);
  graft.xxh64Pages(pagesAt, pages.length / PAGE_SIZE, hashesAt);
  const found = memoryBytes().subarray(hashesAt, hashesAt + hashes.length);
  return found.every((byte, i) => byte === hashes[i]);
}
