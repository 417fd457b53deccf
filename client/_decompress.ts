// What decompresses pages, as the options say it.

import { GraftError, isGraftError } from "../src/core/errors.ts";
import type { Decompress } from "../src/wire/v1/page_stream_decoder.ts";
import { decompress } from "./zstd/decompress.ts";

const keys = new WeakMap<Decompress, number>();
let keysGiven = 0;

/** Undefined: nothing does, and pages are asked for uncompressed. */
export function decompressOf(option: Decompress | false | undefined): Decompress | undefined {
  if (option === undefined) return decompress;
  return option === false ? undefined : (stored, rawLength) => guarded(option, stored, rawLength);
}

/** A number for each function, and 0 for none. */
export function decompressKey(option: Decompress | false | undefined): number {
  if (option === false) return 0;
  const used = option ?? decompress;
  const key = keys.get(used) ?? ++keysGiven;
  keys.set(used, key);
  return key;
}

/** Platforms throw errors of their own, and answer less than was asked for when a frame holds less. */
function guarded(own: Decompress, stored: Uint8Array, rawLength: number): Uint8Array {
  const raw = attempt(own, stored, rawLength);
  if (raw.length === rawLength) return raw;
  const state = `it holds ${raw.length} bytes instead of ${rawLength}`;
  throw new GraftError("damaged", `Cannot decompress the frame: ${state}`);
}

function attempt(own: Decompress, stored: Uint8Array, rawLength: number): Uint8Array {
  try {
    return own(stored, rawLength);
  } catch (cause) {
    if (isGraftError(cause)) throw cause;
    throw new GraftError("damaged", "Cannot decompress the frame: its bytes were refused", {
      cause,
    });
  }
}
