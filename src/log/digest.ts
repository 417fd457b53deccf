/**
 * The digest of a commit.
 *
 * @module
 */

import { assert } from "../core/assert.ts";
import { type Digest, DIGEST_BYTES, digestOf } from "../core/content_digest.ts";
import { type ClientId, GID_BYTES, gidToBytes, type VolumeId } from "../core/gid.ts";
import type { Lsn } from "../core/lsn.ts";
import type { PageCount } from "../core/page.ts";

/** What a commit's digest covers. */
export interface CommitDigestParts {
  /** The volume. */
  readonly vid: VolumeId;
  /** The client that commits. */
  readonly cid: ClientId;
  /** The LSN it is based on; undefined for the first commit. */
  readonly baseLsn: Lsn | undefined;
  /** How many pages the volume has from here on. */
  readonly pageCount: PageCount;
  /** The content digest of the pages committed. */
  readonly contentDigest: Digest;
  /** The digest of the record at the base LSN; 16 zero bytes for the first commit. */
  readonly parentDigest: Digest;
}

const FORM = 1;

const BYTES = 1 + GID_BYTES + GID_BYTES + 8 + 4 + DIGEST_BYTES + DIGEST_BYTES;

/**
 * The digest of a commit: what makes two commits the same one.
 *
 * ```text
 * digestOf( 1 (1 byte) · volume (16) · client (16) · base LSN (u64, 0 for none) · page count (u32) ·
 *           content digest (16) · parent's digest (16) )              integers are little-endian
 * ```
 *
 * Segments are not covered, only what is in them: a client that repeats a commit after a crash writes
 * its pages again, into other segments. The parent's digest is covered, which makes the digests of a line a hash
 * chain: the digest of the head stands for everything before it, so that a line spliced together from
 * two histories (a restored log, a truncated and rewritten one) shows where they meet. A repeat is based
 * on the same record as the original, so it has the same parent and stays equal.
 *
 * It guards against accidents, not against an adversary.
 *
 * @example
 * ```ts
 * import { commitDigest } from "./digest.ts";
 * import { EMPTY_DIGEST } from "../core/content_digest.ts";
 * import { clientIdFromName, parseGid } from "../core/gid.ts";
 * import { toPageCount } from "../core/page.ts";
 *
 * const digest = commitDigest({
 *   vid: parseGid("volume", "GonwTRj2SohJzYLLjD9nSq"),
 *   cid: clientIdFromName("example"),
 *   baseLsn: undefined,
 *   pageCount: toPageCount(0),
 *   contentDigest: EMPTY_DIGEST,
 *   parentDigest: EMPTY_DIGEST,
 * });
 * console.log(digest.length); // 16
 * ```
 */
export function commitDigest(parts: CommitDigestParts): Digest {
  assert(
    parts.contentDigest.length === DIGEST_BYTES && parts.parentDigest.length === DIGEST_BYTES,
    "A digest has 16 bytes",
  );
  const bytes = new Uint8Array(BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = FORM;
  bytes.set(gidToBytes(parts.vid), 1);
  bytes.set(gidToBytes(parts.cid), 17);
  view.setBigUint64(33, BigInt(parts.baseLsn ?? 0), true);
  view.setUint32(41, parts.pageCount, true);
  bytes.set(parts.contentDigest, 45);
  bytes.set(parts.parentDigest, 61);
  return digestOf(bytes);
}
