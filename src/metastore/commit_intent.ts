/**
 * What a commit is asked to be.
 *
 * @module
 */

import type { Digest } from "../core/content_digest.ts";
import type { PageCount } from "../core/page.ts";
import type { CommitRequest } from "../wire/messages.ts";

/** A commit of either protocol: v0.1 gives all of {@linkcode CommitRequest}, and no more. */
export interface CommitIntent extends Omit<CommitRequest, "pageCount"> {
  /** How many pages the volume has from here on; undefined: as at the base, or up to the highest page written. */
  readonly pageCount: PageCount | undefined;
  /**
   * The client's own id of the request. With one, a repeat is known by it; without, by its content, so that
   * two equal commits on one base are then the same.
   */
  readonly requestId?: Uint8Array;
  /** The digest of the commit at the base, where the client knows it: another one is a conflict. */
  readonly baseDigest?: Digest;
}
