/**
 * A store of dated puts whose slowest reads are sent twice.
 *
 * @module
 */

import { HedgedStore, type HedgedStoreParts } from "./hedged_store.ts";
import type { DatedObjectStore, ObjectCallOptions } from "./object_store.ts";

/** A {@linkcode HedgedStore} over a {@linkcode DatedObjectStore}; dated puts pass like others. */
export class HedgedDatedStore extends HedgedStore implements DatedObjectStore {
  readonly #dated: DatedObjectStore;

  /** Hedges reads of `inner`. */
  constructor(inner: DatedObjectStore, parts: HedgedStoreParts) {
    super(inner, parts);
    this.#dated = inner;
  }

  /** Passes {@linkcode DatedObjectStore.putDated} on. */
  putDated(
    key: string,
    body: Uint8Array<ArrayBuffer>,
    dateMs: number,
    options?: ObjectCallOptions,
  ): Promise<void> {
    return this.#dated.putDated(key, body, dateMs, options);
  }
}
