/**
 * A file in the place of what a volume holds, in one commit.
 *
 * @module
 */

import type { PageToWrite } from "../../../client/mod.ts";
import { GraftError } from "../../core/errors.ts";
import type { ClientId } from "../../core/gid.ts";
import { COMMIT_SEGMENTS_MAX, PAGE_SIZE, WRITE_PART_PAGES } from "../../core/limits.ts";
import type { SegmentUse } from "../../core/snapshot.ts";
import { ContentMark } from "./content_mark.ts";
import type { Imported, ImportSource, VolumeHead } from "./import_database.ts";

/** Pages of one write, unless the commit could not name so many of them: 4 MiB. */
const PORTION_PAGES = 1024;
/** Pages that one commit can carry: 1 GiB. */
const PAGES_MAX = COMMIT_SEGMENTS_MAX * WRITE_PART_PAGES;

/** The volume that is written over. */
export interface ReplaceTarget {
  /** The volume. */
  readonly vid: string;
  /** Stores pages for a commit to name. */
  write(pages: Iterable<PageToWrite>): Promise<SegmentUse[]>;
  /** Commits stored pages on the snapshot at `base`. */
  commit(
    cid: ClientId,
    base: number,
    segments: readonly SegmentUse[],
    pageCount: number,
  ): Promise<VolumeHead>;
}

/**
 * Commits a database over what a volume has at its head. Readers see all of the one, then all of the other;
 * what was there stays readable at its LSN. What is interrupted has changed nothing, and begins anew.
 *
 * @param head The newest snapshot of the volume.
 * @throws {GraftError} `invalid` for more than 1 GiB; `conflict` where another commit came first.
 */
export async function replaceDatabase(
  source: ImportSource,
  target: ReplaceTarget,
  head: VolumeHead,
  onProgress?: (pages: number) => void,
): Promise<Imported> {
  const { pageCount } = source;
  if (pageCount > PAGES_MAX) throw tooLarge(target.vid);
  const portionPages = Math.max(PORTION_PAGES, Math.ceil(pageCount / COMMIT_SEGMENTS_MAX));
  const mark = new ContentMark();
  const segments: SegmentUse[] = [];
  for (let first = 1; first <= pageCount; first += portionPages) {
    const bytes = await source.read(first, Math.min(portionPages, pageCount - first + 1));
    mark.add(bytes);
    segments.push(...await target.write(pagesOf(bytes, first)));
    onProgress?.(first - 1 + bytes.length / PAGE_SIZE);
  }
  source.assertUnchanged();
  const made = await target.commit(mark.clientId(), head.lsn, segments, pageCount);
  return { head: made, pagesFound: 0 };
}

function* pagesOf(bytes: Uint8Array, first: number): Generator<PageToWrite> {
  for (let at = 0; at < bytes.length; at += PAGE_SIZE) {
    yield [first + at / PAGE_SIZE, bytes.subarray(at, at + PAGE_SIZE)];
  }
}

function tooLarge(vid: string): GraftError {
  return new GraftError(
    "invalid",
    `Cannot replace volume "${vid}": the file has more than the 1 GiB that one commit carries`,
    { hint: "Import it into a new volume: leave out --volume" },
  );
}
