/**
 * A new volume with the pages of a snapshot.
 *
 * @module
 */

import type { ClientId, VolumeId } from "../../src/core/gid.ts";
import { toPageCount } from "../../src/core/page.ts";
import type { Random } from "../../src/core/random.ts";
import { REQUEST_ID_BYTES } from "../../src/wire/v1/page_stream_header.ts";
import { PUSH_PAGES_MAX } from "./local/push_bounds.ts";
import { type RemoteSnapshot, type ReplicaRemote, TooLargeError } from "./remote/remote.ts";
import type { ReplicaSnapshot } from "./snapshot.ts";
import { pagesFrom } from "./pages_from.ts";

/** What is copied, and where to. */
export interface VolumeCopyParts {
  readonly snapshot: ReplicaSnapshot;
  readonly remote: ReplicaRemote;
  /** The new volume. */
  readonly vid: VolumeId;
  readonly cid: ClientId;
  readonly random: Random;
}

/** Pages that are read at once. */
const READ_PAGES = 256;

/** Copies a snapshot to a volume that is not there yet: in one commit, or in several where it is long. */
export async function copyVolume(parts: VolumeCopyParts, signal: AbortSignal): Promise<void> {
  const { pageCount } = parts.snapshot;
  let base: RemoteSnapshot | undefined;
  let pagesMax = PUSH_PAGES_MAX;
  let first = 1;
  do {
    const last = Math.min(first + pagesMax - 1, pageCount);
    try {
      base = await copyPages(parts, base, { first, last }, signal);
      first = last + 1;
    } catch (error) {
      if (!(error instanceof TooLargeError) || last <= first) throw error;
      pagesMax = Math.floor((last - first + 1) / 2);
    }
  } while (first <= pageCount);
}

async function copyPages(
  { snapshot, remote, vid, cid, random }: VolumeCopyParts,
  base: RemoteSnapshot | undefined,
  { first, last }: { readonly first: number; readonly last: number },
  signal: AbortSignal,
): Promise<RemoteSnapshot> {
  return await remote.commit({
    vid,
    cid,
    requestId: random.fill(new Uint8Array(REQUEST_ID_BYTES)),
    base,
    pageCount: toPageCount(last),
    pageSet: pagesFrom(first, last),
    async *pages() {
      for (let from = first; from <= last; from += READ_PAGES) {
        yield* await snapshot.readMany(pagesFrom(from, Math.min(from + READ_PAGES - 1, last)));
      }
    },
  }, signal);
}
