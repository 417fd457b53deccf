/**
 * Page indexes and page counts.
 *
 * @module
 */

import { GraftError } from "./errors.ts";
import { PAGE_COUNT_MAX } from "./limits.ts";

declare const pageIdxBrand: unique symbol;
declare const pageCountBrand: unique symbol;

/** The number of a page within its volume, from 1. */
export type PageIdx = number & { readonly [pageIdxBrand]: true };

/** How many pages a volume has, from 0; pages never written count too. */
export type PageCount = number & { readonly [pageCountBrand]: true };

/**
 * Checks that `value` is a page index.
 *
 * @throws {GraftError} `invalid` for anything but a whole number from 1 to 2^28.
 */
export function toPageIdx(value: number): PageIdx {
  if (Number.isInteger(value) && value >= 1 && value <= PAGE_COUNT_MAX) return value as PageIdx;
  throw new GraftError(
    "invalid",
    `Cannot use ${value} as a page index: page indexes run from 1 to ${PAGE_COUNT_MAX}`,
  );
}

/**
 * Checks that `value` is a page count.
 *
 * @throws {GraftError} `invalid` for anything but a whole number from 0 to 2^28.
 */
export function toPageCount(value: number): PageCount {
  if (Number.isInteger(value) && value >= 0 && value <= PAGE_COUNT_MAX) return value as PageCount;
  throw new GraftError(
    "invalid",
    `Cannot use ${value} as a page count: page counts run from 0 to ${PAGE_COUNT_MAX}`,
  );
}
