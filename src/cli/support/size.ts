/**
 * Numbers of bytes as people write them.
 *
 * @module
 */

import { UsageError } from "./failure.ts";

const UNIT_BYTES: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/**
 * Reads a number of bytes: `1048576`, `256MiB`, `1GiB`.
 *
 * @throws {UsageError} For anything else, units of a thousand included: `MB` means one or the other.
 *
 * @example
 * ```ts
 * import { parseSize } from "./size.ts";
 *
 * console.log(parseSize("256MiB")); // 268435456
 * ```
 */
export function parseSize(text: string): number {
  const match = /^(\d{1,15})\s*([A-Za-z]*)$/.exec(text.trim());
  const unit = UNIT_BYTES[match?.[2].toLowerCase() ?? "?"];
  const bytes = Number(match?.[1]) * unit;
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new UsageError(`Cannot read "${text}" as a size: it is not like 1048576, 256MiB or 1GiB`);
}
