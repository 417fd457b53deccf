// How pages are asked for over v1.

import type { VolumeId } from "../src/core/gid.ts";
import type { Lsn } from "../src/core/lsn.ts";
import type { PageSet } from "../src/core/page_set.ts";
import { acceptPages, PAGE_SET_MEDIA_TYPE } from "../src/wire/v1/media_types.ts";
import { formatPageRanges } from "../src/wire/v1/page_ranges.ts";

/** The parts of a request that name pages. */
export interface PagesRequest {
  readonly method: "GET" | "POST";
  /** The path below a server's URL, with its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
}

/** Which pages of which snapshot. */
export interface PagesAsked {
  readonly vid: VolumeId;
  /** Undefined: the newest. */
  readonly lsn: Lsn | undefined;
  readonly pageSet: PageSet;
  /** Whether they may come compressed. */
  readonly zstd: boolean;
}

/** Characters of a list of pages in a URL; a longer one is sent as a page set. */
const LIST_CHARACTERS_MAX = 1024;

/** Names pages in the URL, or, where they are too many for that, in a body. */
export function pagesRequest({ vid, lsn, pageSet, zstd }: PagesAsked): PagesRequest {
  const accept = acceptPages(zstd ? "zstd" : "raw");
  const query = lsn === undefined ? "" : `?lsn=${lsn}`;
  const path = `/v1/volumes/${vid}/pages`;
  const list = formatPageRanges(pageSet);
  if (list.length <= LIST_CHARACTERS_MAX) {
    return { method: "GET", path: `${path}/${list}${query}`, headers: { accept } };
  }
  const headers = { accept, "content-type": PAGE_SET_MEDIA_TYPE };
  return { method: "POST", path: path + query, headers, body: pageSet.bytes };
}
