/**
 * Pages at an LSN, as page streams.
 *
 * @module
 */

import { GraftError } from "../../../core/errors.ts";
import type { VolumeId } from "../../../core/gid.ts";
import type { Lsn } from "../../../core/lsn.ts";
import { PageSet } from "../../../core/page_set.ts";
import {
  acceptsZstd,
  PAGE_SET_MEDIA_TYPE,
  PAGES_MEDIA_TYPE,
  parsePageRanges,
} from "../../../wire/v1/mod.ts";
import { readBody } from "../../http/request_body.ts";
import {
  type Asked,
  optional,
  parseLsn,
  permittedVid,
  requireMediaType,
  type Routes,
} from "./_asked.ts";
import { PageStreamBody } from "./page_stream_body.ts";

/** The routes by path. */
export const PAGE_ROUTES: Routes = {
  "/v1/volumes/:vid/pages/:set": { GET: readListedPages },
  "/v1/volumes/:vid/pages": { POST: readPageSet },
};

/** Pages that one request may ask for: 64 MiB. */
export const PAGES_MAX = 16_384;
/** So many pages, each by itself, take about 300 KiB. */
const PAGE_SET_BYTES_MAX = 1024 * 1024;

/** What is read at an LSN never changes; the bound is for volumes that are deleted, and for full disks. */
const FOR_EVER = "private, immutable, max-age=3600";

async function readListedPages(asked: Asked): Promise<Response> {
  const vid = permittedVid(asked.context, asked.claims, "read");
  const wanted = requireSome(parsePageRanges(asked.context.req.param("set") ?? ""));
  const lsn = optional(asked.context, "lsn", (text) => parseLsn("lsn", text));
  const cacheControl = lsn === undefined ? "no-cache" : FOR_EVER;
  return await answer(asked, vid, lsn, wanted, { "cache-control": cacheControl });
}

async function readPageSet(asked: Asked): Promise<Response> {
  const vid = permittedVid(asked.context, asked.claims, "read");
  requireMediaType(asked.exchange, PAGE_SET_MEDIA_TYPE);
  const lsn = optional(asked.context, "lsn", (text) => parseLsn("lsn", text));
  const wanted = PageSet.decode(await readBody(asked.exchange, PAGE_SET_BYTES_MAX));
  return await answer(asked, vid, lsn, requireSome(wanted), {});
}

async function answer(
  { exchange, parts }: Asked,
  vid: VolumeId,
  lsn: Lsn | undefined,
  wanted: PageSet,
  headers: Record<string, string>,
): Promise<Response> {
  const stream = new PageStreamBody({
    pagestore: parts.pagestore,
    vid,
    lsn: lsn ?? (await parts.metastore.snapshot(vid)).lsn,
    wanted,
    compress: acceptsZstd(exchange.request.headers.get("accept")) ? parts.compress : undefined,
  });
  return new Response(await stream.open(), {
    headers: { "content-type": PAGES_MEDIA_TYPE, vary: "accept, authorization", ...headers },
  });
}

function requireSome(wanted: PageSet): PageSet {
  if (wanted.size === 0) throw new GraftError("invalid", "Cannot read pages: none is named");
  if (wanted.has(0)) throw new GraftError("invalid", "Cannot read page 0: pages start at 1");
  if (wanted.size <= PAGES_MAX) return wanted;
  throw new GraftError(
    "invalid",
    `Cannot read ${wanted.size} pages: one request may ask for ${PAGES_MAX}`,
  );
}
