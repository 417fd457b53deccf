// The zstd module: its memory, and one context a direction that all calls share.
//
// wasm/build_zstd.ts says where the module comes from. Both buffers are allocated once, large enough for
// any frame, so no length that a frame states ever reaches the allocator.

import * as zstd from "../../../wasm/build/zstd.wasm";
import { assert } from "../../core/assert.ts";
import { FRAME_PAGES_MAX, PAGE_SIZE } from "../../core/limits.ts";

/** The most that is compressed at once. */
export const RAW_BYTES_MAX = FRAME_PAGES_MAX * PAGE_SIZE;
/** The most that so many bytes can become. */
export const COMPRESSED_BYTES_MAX = zstd.compressBound(RAW_BYTES_MAX);

const raw = allocated(zstd.malloc(RAW_BYTES_MAX));
const compressed = allocated(zstd.malloc(COMPRESSED_BYTES_MAX));
let compressor = 0;
let decompressor = 0;
let memory = new Uint8Array(zstd.memory.buffer as ArrayBuffer);

/** The module's memory. It may grow with every call, which leaves a view of it without length. */
function memoryBytes(): Uint8Array<ArrayBuffer> {
  if (memory.length === 0) memory = new Uint8Array(zstd.memory.buffer as ArrayBuffer);
  return memory;
}

function allocated(pointer: number): number {
  assert(pointer !== 0, "The zstd module is out of memory");
  return pointer;
}

/** Compresses at most {@linkcode RAW_BYTES_MAX}; the result is a view, valid until the next call. */
export function compress(source: Uint8Array, level: number): Uint8Array<ArrayBuffer> {
  assert(source.length <= RAW_BYTES_MAX, "More than a frame was given to zstd");
  compressor ||= allocated(zstd.createCompressor());
  memoryBytes().set(source, raw);
  const length = zstd.compress(
    compressor,
    compressed,
    COMPRESSED_BYTES_MAX,
    raw,
    source.length,
    0,
    0,
    level,
  );
  assert(!zstd.isError(length), "zstd cannot compress although there is room");
  return memoryBytes().subarray(compressed, compressed + length);
}

/** Decompresses to at most `lengthMax` bytes; undefined when that fails. A view, valid until the next call. */
export function decompress(
  source: Uint8Array,
  lengthMax: number,
): Uint8Array<ArrayBuffer> | undefined {
  assert(lengthMax <= RAW_BYTES_MAX, "More than a frame is asked of zstd");
  if (source.length > COMPRESSED_BYTES_MAX) return undefined;
  decompressor ||= allocated(zstd.createDecompressor());
  memoryBytes().set(source, compressed);
  const length = zstd.decompress(decompressor, raw, lengthMax, compressed, source.length, 0, 0);
  return zstd.isError(length) ? undefined : memoryBytes().subarray(raw, raw + length);
}
