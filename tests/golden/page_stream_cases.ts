/**
 * What the golden page streams hold.
 *
 * `deno run -A tests/golden/page_stream_cases.ts` writes those that are not there yet. A file that is
 * there is never written again: it stands for the clients that are out there.
 *
 * @module
 */

import { clientIdFromName, parseGid } from "../../src/core/gid.ts";
import { toLsn } from "../../src/core/lsn.ts";
import { toPageCount } from "../../src/core/page.ts";
import { WasmCodec } from "../../src/segment/codecs/wasm_codec.ts";
import {
  encodeCommitHeader,
  encodeStreamHeader,
  PageStreamEncoder,
} from "../../src/wire/v1/mod.ts";
import { hashPages } from "../../src/wire/v1/page_stream_format.ts";
import { goldenText } from "./segment_cases.ts";

/** A golden stream. */
export interface StreamCase {
  /** The file's name, without `.stream`; a commit's begins so. */
  readonly name: string;
  /** The pages that are handed over, in this order. */
  readonly pages: readonly number[];
  /** Its bytes, made anew. */
  readonly encode: () => Uint8Array;
}

const vid = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");

/** The header of the answers. */
export const STREAM_HEADER = { vid, lsn: toLsn(7) };
/** The header of the commit. */
export const COMMIT_HEADER = {
  vid,
  cid: clientIdFromName("golden"),
  requestId: Uint8Array.from({ length: 16 }, (_, i) => i + 1),
  baseLsn: toLsn(7),
  baseDigest: new Uint8Array(16).fill(0xd1),
  pageCount: toPageCount(900),
};

const listOf = (indexes: readonly number[]) => ({
  indexes: Uint32Array.from(indexes),
  page: (i: number) => goldenText(indexes[i]),
});

function encodeRaw(header: Uint8Array, indexes: readonly number[]): Uint8Array {
  const encoder = new PageStreamEncoder(header);
  encoder.addPages(listOf(indexes));
  encoder.end();
  return encoder.take();
}

/** A stored frame of three pages, of which two are of the LSN, and a page by itself. */
function encodeStored(): Uint8Array {
  const raw = new Uint8Array([1, 2, 3].flatMap((pageIdx) => [...goldenText(pageIdx)]));
  const stored = new Uint8Array([...hashPages(raw), ...new WasmCodec().compress(raw)]);
  const encoder = new PageStreamEncoder(encodeStreamHeader(STREAM_HEADER));
  encoder.addFrame({ indexes: Uint32Array.of(1, 2, 3), mask: 0b101, codec: "zstd", stored });
  encoder.addPages(listOf([900]));
  encoder.end();
  return encoder.take();
}

/** Every golden stream. */
export const STREAM_CASES: readonly StreamCase[] = [
  {
    name: "pages_raw",
    pages: [2, 900],
    encode: () => encodeRaw(encodeStreamHeader(STREAM_HEADER), [2, 900]),
  },
  { name: "pages_stored", pages: [1, 3, 900], encode: encodeStored },
  {
    name: "commit_raw",
    pages: [2, 900],
    encode: () => encodeRaw(encodeCommitHeader(COMMIT_HEADER), [2, 900]),
  },
];

/** Where a golden stream lies. */
export function goldenStreamPath(name: string): string {
  return new URL(`${name}.stream`, import.meta.url).pathname;
}

if (import.meta.main) {
  for (const { name, encode } of STREAM_CASES) {
    await Deno.writeFile(goldenStreamPath(name), encode(), { createNew: true }).catch((error) => {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    });
  }
}
