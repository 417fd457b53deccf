// What a commit must look like before anything is looked up.

import { GraftError } from "../core/errors.ts";
import { COMMIT_SEGMENTS_MAX } from "../core/limits.ts";
import type { CommitIntent } from "./commit_intent.ts";

/** Refuses a commit whose own words contradict each other: GraftError `invalid`. */
export function checkShape(request: CommitIntent): void {
  const { segments, pageCount } = request;
  if (segments.length > COMMIT_SEGMENTS_MAX) {
    refuse(
      request,
      `it names ${segments.length} segments; at most ${COMMIT_SEGMENTS_MAX} are allowed`,
    );
  }
  for (const { sid, pageSet } of segments) {
    if (pageSet.size === 0) refuse(request, `it takes no pages from segment "${sid}"`);
    if (pageSet.has(0)) refuse(request, `page index 0 is in the page set of segment "${sid}"`);
    if (pageCount === undefined) continue;
    if (pageSet.last !== undefined && pageSet.last > pageCount) {
      refuse(
        request,
        `page ${pageSet.last} of segment "${sid}" is above the page count ${pageCount}`,
      );
    }
  }
}

/** Throws the `invalid` error of a commit. */
export function refuse(request: CommitIntent, state: string): never {
  throw new GraftError("invalid", `Cannot commit to volume "${request.vid}": ${state}`);
}
