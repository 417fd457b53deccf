/**
 * Log sequence numbers: the line of a volume's commits, without gaps, from 1.
 *
 * @module
 */

import { GraftError } from "./errors.ts";

declare const lsnBrand: unique symbol;

/**
 * A log sequence number: a whole number from 1 to 2^53 - 1. On the wire it is a uint64; what does not
 * fit here is above every head that can exist.
 */
export type Lsn = number & { readonly [lsnBrand]: true };

/** LSNs from `start` to `end`, both inclusive. */
export interface LsnRange {
  /** The first LSN of the range. */
  readonly start: Lsn;
  /** The last LSN of the range. */
  readonly end: Lsn;
}

/** The LSN of a volume's first commit. */
export const FIRST_LSN = 1 as Lsn;

/**
 * Checks that `value` is an LSN.
 *
 * @throws {GraftError} `invalid` for anything but a whole number from 1 to 2^53 - 1.
 *
 * @example
 * ```ts
 * import { toLsn } from "./lsn.ts";
 *
 * console.log(toLsn(7)); // 7
 * ```
 */
export function toLsn(value: number): Lsn {
  if (Number.isSafeInteger(value) && value >= 1) return value as Lsn;
  throw new GraftError("invalid", `Cannot use ${value} as an LSN: LSNs are whole numbers from 1`);
}

/** The LSN after `lsn`; after none (`undefined`) comes the first. */
export function nextLsn(lsn: Lsn | undefined): Lsn {
  return lsn === undefined ? FIRST_LSN : toLsn(lsn + 1);
}
