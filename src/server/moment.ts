/**
 * Points in a volume's history as people write them.
 *
 * @module
 */

import { GraftError } from "../core/errors.ts";
import { type Lsn, toLsn } from "../core/lsn.ts";
import { parseDuration } from "./duration.ts";

/** An LSN, or a time in milliseconds since 1970. */
export type Moment = { readonly lsn: Lsn } | { readonly timestampMs: number };

const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/**
 * Reads a point in history: digits are an LSN, `2h` or `7d` is that long ago, the rest a time as RFC 3339
 * has it.
 *
 * @param nowMs What "ago" counts from, in milliseconds since 1970.
 * @throws {GraftError} `invalid` for anything else.
 *
 * @example
 * ```ts
 * import { parseMoment } from "./moment.ts";
 *
 * console.log(parseMoment("7", 0)); // { lsn: 7 }
 * console.log(parseMoment("1970-01-01T00:00:01Z", 0)); // { timestampMs: 1000 }
 * ```
 */
export function parseMoment(text: string, nowMs: number): Moment {
  if (/^\d+$/.test(text)) return { lsn: toLsn(Number(text)) };
  if (/^\d+[a-z]+$/.test(text)) return { timestampMs: nowMs - parseDuration(text) };
  const timestampMs = RFC_3339.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(timestampMs)) return { timestampMs };
  throw new GraftError(
    "invalid",
    `Cannot read "${text}" as a point in history: it is neither an LSN nor a time`,
    {
      hint: "For example 12, 2h, 7d or 2026-05-01T12:00:00Z",
    },
  );
}
