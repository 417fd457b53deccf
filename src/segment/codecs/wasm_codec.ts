/**
 * Frames compressed by zstd in WebAssembly, the same everywhere.
 *
 * @module
 */

import { GraftError } from "../../core/errors.ts";
import { compress, decompress } from "./_zstd.ts";
import type { FrameCodec } from "../codec.ts";

/** Frames of 16 typical SQLite pages become 0.42 of their size; level 1 gives 0.45 for a tenth less time. */
const LEVEL = 2;

/** A codec that runs in any JavaScript engine. All of them in a thread share one zstd context. */
export class WasmCodec implements FrameCodec {
  /** Compresses pages. */
  compress(raw: Uint8Array): Uint8Array {
    return compress(raw, LEVEL);
  }

  /** Decompresses to exactly `rawLength` bytes. */
  decompress(stored: Uint8Array, rawLength: number): Uint8Array<ArrayBuffer> {
    const raw = decompress(stored, rawLength);
    if (raw === undefined) {
      throw new GraftError("damaged", "Cannot decompress a frame: it is not valid zstd data");
    }
    if (raw.length !== rawLength) {
      throw new GraftError(
        "damaged",
        `Cannot decompress a frame: it holds ${raw.length} bytes instead of ${rawLength}`,
      );
    }
    return raw.slice();
  }
}
