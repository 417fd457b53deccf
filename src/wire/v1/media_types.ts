/**
 * The media types of the v1 interface that are ours.
 *
 * @module
 */

import type { FrameCodecName } from "./page_stream_format.ts";

/** Pages: a page stream (docs/formats/page_stream.md). */
export const PAGES_MEDIA_TYPE = "application/vnd.graft.pages";
/** A whole transaction: a commit's header and its pages (docs/formats/page_stream.md). */
export const COMMIT_MEDIA_TYPE = "application/vnd.graft.commit";
/** A page set (docs/formats/page_set.md). */
export const PAGE_SET_MEDIA_TYPE = "application/vnd.graft.page-set";

/**
 * What a client sends as `accept` to get pages.
 *
 * @param codec `zstd` when it can decompress; `raw` otherwise.
 *
 * @example
 * ```ts
 * import { acceptPages } from "./media_types.ts";
 *
 * console.log(acceptPages("zstd")); // "application/vnd.graft.pages;codec=zstd"
 * ```
 */
export function acceptPages(codec: FrameCodecName): string {
  return codec === "raw" ? PAGES_MEDIA_TYPE : `${PAGES_MEDIA_TYPE};codec=${codec}`;
}

/** Whether an `accept` header allows pages that are compressed with zstd. */
export function acceptsZstd(accept: string | null): boolean {
  if (accept === null) return false;
  return accept.split(",").some((range) => {
    const [type, ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    return type === PAGES_MEDIA_TYPE && parameters.includes("codec=zstd");
  });
}

/** Whether a `content-type` or one of an `accept` header's parts names a media type, whatever its parameters. */
export function isMediaType(header: string | null, mediaType: string): boolean {
  return header?.split(";", 1)[0].trim().toLowerCase() === mediaType;
}
