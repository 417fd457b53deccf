/**
 * A well-formed request of each call, to be broken.
 *
 * @module
 */

import {
  commitRequest,
  newId,
  page,
  PATH,
  pullRequest,
  readRequest,
  snapshotRequest,
  writeRequest,
} from "./messages.ts";
import type { Bytes } from "./protobuf.ts";
import { splinter } from "./splinter.ts";

/** What the requests name: a volume, a client and a segment that no server knows, and the set of page 1. */
export const IDS = {
  vid: newId("volume"),
  cid: newId("client"),
  sid: newId("segment"),
  one: splinter([1]),
} as const;

const { vid, cid, sid, one } = IDS;

/** By path. The volume's id is the first field of each. */
export const GOOD: Readonly<Record<string, Bytes>> = {
  [PATH.snapshot]: snapshotRequest(vid, 1),
  [PATH.pullGraft]: pullRequest(vid, 1, 2),
  [PATH.pullCommits]: pullRequest(vid, 1, 2),
  [PATH.commit]: commitRequest({
    vid,
    cid,
    base: 1,
    pageCount: 9,
    segments: [{ sid, graft: one }],
  }),
  [PATH.readPages]: readRequest(vid, 1, one),
  [PATH.writePages]: writeRequest(vid, [[1, page("one")], [2, page("two")]]),
};
