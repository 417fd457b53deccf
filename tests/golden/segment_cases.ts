/**
 * What the golden segments hold.
 *
 * `deno run -A tests/golden/segment_cases.ts` writes those that are not there yet. A file that is there is
 * never written again: it stands for the segments in people's stores.
 *
 * @module
 */

import { gidFromBytes, type SegmentId, type VolumeId } from "../../src/core/gid.ts";
import { PageBuffer } from "../../src/core/page_buffer.ts";
import { WasmCodec } from "../../src/segment/codecs/wasm_codec.ts";
import { encodeSegment } from "../../src/segment/encoding/encode_segment.ts";
import type { VolumePages } from "../../src/segment/segment.ts";

/** A golden segment. */
export interface SegmentCase {
  /** The file's name, without `.segment`. */
  readonly name: string;
  /** The segment. */
  readonly sid: SegmentId;
  /** Its pages, made anew. */
  readonly volumes: () => VolumePages[];
}

function id(kind: number, last: number): Uint8Array {
  const bytes = Uint8Array.of(kind, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, last);
  return bytes;
}

const sid = (last: number): SegmentId => gidFromBytes("segment", id(0xa0, last));
const vid = (last: number): VolumeId => gidFromBytes("volume", id(0x80, last));

/** The page of an index: text, as a database has it. */
export function goldenText(pageIdx: number): Uint8Array {
  const text = new TextEncoder().encode(`Page ${pageIdx}: a golden page of a volume. `);
  return Uint8Array.from({ length: 4096 }, (_, i) => text[i % text.length]);
}

/** The page of an index: what a linear congruential generator gives, which does not compress. */
export function goldenNoise(pageIdx: number): Uint8Array {
  let state = pageIdx;
  return Uint8Array.from({ length: 4096 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}

function pagesOf(
  volume: number,
  indexes: readonly number[],
  page: (pageIdx: number) => Uint8Array,
): VolumePages {
  const pages = new PageBuffer(indexes.length);
  for (const pageIdx of indexes) pages.add(pageIdx).set(page(pageIdx));
  return { vid: vid(volume), pages };
}

/** Every golden segment. */
export const SEGMENT_CASES: readonly SegmentCase[] = [
  { name: "segment_one_page", sid: sid(1), volumes: () => [pagesOf(1, [1], goldenText)] },
  {
    name: "segment_three_volumes",
    sid: sid(2),
    volumes: () => [
      pagesOf(3, [2 ** 28, 70_000, 1], goldenText),
      pagesOf(1, Array.from({ length: 17 }, (_, i) => 100 + i), goldenText),
      pagesOf(2, [9], goldenNoise),
    ],
  },
];

/** Where the file of a golden segment is. */
export function goldenPath(name: string): URL {
  return new URL(`./${name}.segment`, import.meta.url);
}

if (import.meta.main) {
  for (const { name, sid, volumes } of SEGMENT_CASES) {
    const { bytes } = encodeSegment(sid, volumes(), new WasmCodec());
    try {
      await Deno.writeFile(goldenPath(name), bytes, { createNew: true });
      console.log(`${name}: ${bytes.length} bytes`);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}
