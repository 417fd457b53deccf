/**
 * What all of Graft speaks: identifiers, LSNs, pages and sets of them, errors, limits, and the parts
 * (clock, chance, timers, instruments) that engines are given.
 *
 * ## Limitations
 *
 * - LSNs are numbers, so they end at 2^53 - 1; on the wire they are 64 bits wide.
 * - The content digest guards against accidents, not against an adversary.
 *
 * @example
 * ```ts
 * import { newGid, PageSet, systemClock, systemRandom } from "./mod.ts";
 *
 * const vid = newGid("volume", systemClock, systemRandom);
 * const changed = PageSet.from([1, 64, 70]);
 * console.log(vid.length, changed.has(64)); // 22 true
 * ```
 *
 * @module
 */

export * from "./assert.ts";
export * from "./clock.ts";
export * from "./content_digest.ts";
export * from "./errors.ts";
export * from "./gid.ts";
export * from "./limits.ts";
export * from "./lsn.ts";
export * from "./metrics.ts";
export * from "./page.ts";
export * from "./page_buffer.ts";
export * from "./page_set.ts";
export * from "./random.ts";
export * from "./snapshot.ts";
export * from "./timers.ts";
