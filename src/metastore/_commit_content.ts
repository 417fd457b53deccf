// What a commit's segments hold, as far as the log knows.

import { addDigests, type Digest, EMPTY_DIGEST } from "../core/content_digest.ts";
import { gidTimeMs } from "../core/gid.ts";
import { PageSet } from "../core/page_set.ts";
import type { SegmentUse } from "../core/snapshot.ts";
import type { CommitLog } from "../log/commit_log.ts";
import type { SegmentVolume } from "../segment/segment.ts";
import { refuse } from "./_commit_shape.ts";
import type { CommitIntent } from "./commit_intent.ts";

/** The verified content of a commit. */
export interface CommitContent {
  /** The digest of all its pages. */
  readonly digest: Digest;
  /** Its segments, with the registered page sets. */
  readonly segments: readonly SegmentUse[];
}

/**
 * Looks up what the segments of a commit hold.
 *
 * @returns The content, or in words why the segments cannot be committed.
 */
export async function findContent(
  log: CommitLog,
  request: CommitIntent,
): Promise<CommitContent | string> {
  const segments: SegmentUse[] = [];
  let digest = EMPTY_DIGEST;
  // all at once: where another process wrote them, each look-up is a request to the store
  const found = await Promise.all(request.segments.map((use) => findVolume(log, request, use)));
  for (const [i, registered] of found.entries()) {
    if (typeof registered === "string") return registered;
    // the registered set is kept, so that equal sets are one in memory
    segments.push({ sid: request.segments[i].sid, pageSet: registered.pageSet });
    digest = addDigests(digest, registered.digest);
  }
  if (overlap(segments)) return "two of its segments hold the same page";
  return { digest, segments };
}

async function findVolume(
  log: CommitLog,
  request: CommitIntent,
  use: SegmentUse,
): Promise<SegmentVolume | string> {
  const registration = await log.registration(use.sid);
  if (registration === undefined) return `segment "${use.sid}" is unknown`;
  const volume = registration.volumes.find(({ vid }) => vid === request.vid);
  if (volume === undefined) return `segment "${use.sid}" holds no page of this volume`;
  if (volume.pageSet.equals(use.pageSet)) return volume;
  return `segment "${use.sid}" holds ${volume.pageSet.size} pages of this volume, ` +
    `which are not the ${use.pageSet.size} that the commit takes from it`;
}

function overlap(segments: readonly SegmentUse[]): boolean {
  if (segments.length < 2) return false;
  const sum = segments.reduce((pages, { pageSet }) => pages + pageSet.size, 0);
  return PageSet.union(segments.map(({ pageSet }) => pageSet)).size !== sum;
}

/**
 * Refuses a commit of segments that a collector might already be about to remove: GraftError `invalid`.
 *
 * @param ageMaxMs Half the grace: what is younger is safe from collection until long after the commit.
 */
export function checkAges(request: CommitIntent, nowMs: number, ageMaxMs: number): void {
  for (const { sid } of request.segments) {
    const ageMs = nowMs - gidTimeMs(sid);
    if (ageMs > ageMaxMs) {
      refuse(
        request,
        `segment "${sid}" was written ${Math.round(ageMs / 1000)} s ago, more than the ` +
          `${Math.round(ageMaxMs / 1000)} s allowed: write its pages again`,
      );
    }
  }
}
