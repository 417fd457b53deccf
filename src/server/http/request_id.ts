/**
 * The name of a request in answers and logs.
 *
 * @module
 */

import type { Random } from "../../core/random.ts";

/** What a proxy may send: nothing that could break a log line apart. */
const SANE_ID = /^[A-Za-z0-9._:+/=-]{1,128}$/;

/** The id that a client or a proxy gave the request, if it is sane; else a new one of 16 hex digits. */
export function requestIdOf(request: Request, random: Random): string {
  const given = request.headers.get("x-request-id");
  if (given !== null && SANE_ID.test(given)) return given;
  return random.fill(new Uint8Array(8)).toHex();
}
