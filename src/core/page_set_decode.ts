/**
 * What can be wrong with the bytes of a page set.
 *
 * @module
 */

import { GraftError } from "./errors.ts";

/** The states behind the negative codes of wasm/assembly/page_set/decode.ts, from -1 on. */
const STATES = [
  "it is shorter than the 8 bytes of the empty set",
  "it does not begin with DA AE 12 DF",
  "its footer names more than 256 keys",
  "an index reaches outside its partition",
  "the keys of a partition do not ascend",
  "the keys of a partition are not as many as stated",
  "an offset points outside its partition",
  "the values of a partition overlap or are out of order",
  "some bytes belong to no value",
  "the members of a block do not ascend",
  "the members of a block are not as many as stated",
];

/**
 * The error for a failed validation.
 *
 * @param code What the validation returned: a negative number.
 * @param at The byte at which it failed.
 * @param length The bytes that were validated.
 */
export function decodeError(code: number, at: number, length: number): GraftError {
  return new GraftError(
    "invalid",
    `Cannot decode page set: ${STATES[-code - 1]} (byte ${at} of ${length})`,
  );
}
