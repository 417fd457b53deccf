// What decompresses pages, as the options say it.

import type { Decompress } from "../src/wire/v1/page_stream_decoder.ts";
import { decompress } from "./zstd/decompress.ts";

const keys = new WeakMap<Decompress, number>();
let keysGiven = 0;

/** Undefined: nothing does, and pages are asked for uncompressed. */
export function decompressOf(option: Decompress | false | undefined): Decompress | undefined {
  return option === false ? undefined : option ?? decompress;
}

/** A number for each function, and 0 for none. */
export function decompressKey(option: Decompress | false | undefined): number {
  const used = decompressOf(option);
  if (used === undefined) return 0;
  const key = keys.get(used) ?? ++keysGiven;
  keys.set(used, key);
  return key;
}
