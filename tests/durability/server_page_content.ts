/**
 * Pages that say who wrote them, so that a page that was never written cannot pass for one that was.
 *
 * ```text
 * attempt (u32) · page index (u32) · 2,040 bytes of noise that follow from the two · zeros
 * ```
 *
 * @module
 */

import { PAGE_SIZE } from "../../src/core/limits.ts";

const NOISE_WORDS = 510;

/** The page that `attempt` writes at `pageIdx`. */
export function pageContent(attempt: number, pageIdx: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(PAGE_SIZE / 4);
  words[0] = attempt;
  words[1] = pageIdx;
  let state = Math.imul(attempt, 0x9e3779b1) ^ Math.imul(pageIdx, 0x85ebca6b) | 1;
  for (let i = 0; i < NOISE_WORDS; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[2 + i] = state;
  }
  return new Uint8Array(words.buffer);
}

/** What is wrong with a page that `attempt` should have written at `pageIdx`; undefined if nothing. */
export function pageDefect(
  page: Uint8Array,
  attempt: number,
  pageIdx: number,
): string | undefined {
  const expected = pageContent(attempt, pageIdx);
  const at = expected.findIndex((byte, i) => page[i] !== byte);
  if (at < 0 && page.length === expected.length) return undefined;
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  return `page ${pageIdx} should be of attempt ${attempt}, but differs at byte ${at} ` +
    `(it says attempt ${view.getUint32(0, true)}, page ${view.getUint32(4, true)})`;
}
