/**
 * By what a half import is known again.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { type ClientId, clientIdFromName } from "../../core/gid.ts";

/**
 * A client id that stands for all pages that were imported so far, the one that commits them.
 *
 * The log of a volume has the client id of each commit. So the head alone tells whether what is in the
 * volume is what the file begins with, and nothing is kept beside the volume.
 *
 * @example
 * ```ts
 * import { ContentMark } from "./content_mark.ts";
 *
 * const [once, inParts] = [new ContentMark(), new ContentMark()];
 * once.add(Uint8Array.of(1, 2));
 * inParts.add(Uint8Array.of(1));
 * inParts.add(Uint8Array.of(2));
 * console.log(once.clientId() === inParts.clientId()); // true
 * ```
 */
export class ContentMark {
  readonly #hash = createHash("sha256");

  /** Takes in the pages that come next. */
  add(pages: Uint8Array): void {
    this.#hash.update(pages);
  }

  /** Stands for all that was taken in; more may follow. */
  clientId(): ClientId {
    return clientIdFromName(`graft import ${this.#hash.copy().digest("hex")}`);
  }
}
