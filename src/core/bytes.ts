/**
 * Bytes, compared.
 *
 * @module
 */

/**
 * Whether two arrays are the same, byte for byte.
 *
 * @example
 * ```ts
 * import { isSameBytes } from "./bytes.ts";
 *
 * console.log(isSameBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))); // true
 * ```
 */
export function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
