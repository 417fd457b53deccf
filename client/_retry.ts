// When to try again, and when to give up.

import type { Clock } from "../src/core/clock.ts";
import type { Random } from "../src/core/random.ts";

/** The first retry comes after at most this; the bound doubles with every further one. */
const BACKOFF_FIRST_MS = 100;
/** The bound stops growing here. */
const BACKOFF_MAX_MS = 5_000;

/** Bytes a millisecond that a way to a server is granted, at least: 16 KiB a second. */
const BYTES_PER_MS = 16.384;

/** How much longer a request with a body may take than one without. */
export function transferMs(body: Uint8Array | undefined): number {
  return body === undefined ? 0 : Math.floor(body.length / BYTES_PER_MS);
}

/**
 * How long to wait before the next attempt: anything up to a bound that doubles ("full jitter", so that
 * the clients of a server that comes back do not all return at once), after what the server asked for.
 *
 * @param failures How many attempts have failed, from 1.
 * @param retryAfterMs What the server asked for; 0 if it did not.
 */
export function retryDelayMs(failures: number, retryAfterMs: number, random: Random): number {
  const boundMs = Math.min(BACKOFF_FIRST_MS * 2 ** (failures - 1), BACKOFF_MAX_MS);
  return retryAfterMs + random.fraction() * boundMs;
}

/** The milliseconds that a `Retry-After` header asks for, as seconds or as a date; 0 without a valid one. */
export function retryAfterMs(header: string | null, clock: Clock): number {
  if (header === null) return 0;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const dateMs = Date.parse(text);
  return Number.isNaN(dateMs) ? 0 : Math.max(dateMs - clock.now(), 0);
}
