// Pages on their way out, in portions that one request carries.

import { GraftError } from "../src/core/errors.ts";
import { PAGE_SIZE } from "../src/core/limits.ts";
import { toPageIdx } from "../src/core/page.ts";
import { PageBuffer } from "../src/core/page_buffer.ts";
import { SeenPages } from "../src/wire/seen_pages.ts";

/** Pages of one request: 16 MiB, so that 64 of them, which one commit may name, are a gigabyte. */
export const BATCH_PAGES = 4096;

/** Most batches are the few pages of one transaction; a buffer grows as it needs to. */
const EXPECTED_PAGES = 16;

/**
 * Checks the pages and groups copies of them. They are drawn one batch at a time.
 *
 * @throws {GraftError} `invalid` for a page that cannot be one, or that came before.
 */
export function* batches(
  pages: Iterable<readonly [pageIdx: number, bytes: Uint8Array]>,
): Generator<PageBuffer> {
  const seen = new SeenPages();
  let batch = new PageBuffer(EXPECTED_PAGES);
  for (const [pageIdx, bytes] of pages) {
    check(pageIdx, bytes, seen);
    batch.add(pageIdx).set(bytes);
    if (batch.count < BATCH_PAGES) continue;
    yield batch;
    batch = new PageBuffer(EXPECTED_PAGES);
  }
  if (batch.count > 0) yield batch;
}

function check(pageIdx: number, bytes: Uint8Array, seen: SeenPages): void {
  toPageIdx(pageIdx);
  if (bytes.length !== PAGE_SIZE) {
    const state = `it has ${bytes.length} bytes instead of ${PAGE_SIZE}`;
    throw new GraftError("invalid", `Cannot write page ${pageIdx}: ${state}`);
  }
  if (!seen.add(pageIdx)) {
    throw new GraftError("invalid", `Cannot write page ${pageIdx}: it occurs twice`);
  }
}
