/**
 * Assertions stay on in production: a broken invariant stops the operation before it can do harm.
 *
 * @module
 */

/** A broken invariant: a bug in this program, never bad input. It is not meant to be caught. */
export class AssertionError extends Error {
  /** The name that stack traces and logs show. */
  override readonly name = "AssertionError";
}

/**
 * Throws unless `condition` holds.
 *
 * @param condition What must be true here.
 * @param message What is wrong when it is not: a statement of the broken state.
 * @throws {AssertionError} When the condition is false.
 *
 * @example
 * ```ts
 * import { assert } from "./assert.ts";
 *
 * assert(1 + 1 === 2, "Arithmetic is broken");
 * ```
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
