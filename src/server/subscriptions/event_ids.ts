/**
 * The ids of events: what tells a server, whichever it is, what a reader has seen.
 *
 * ```text
 * id := checksum of the volumes (8 hex digits) · "." · the LSN seen of each volume, ascending by id (base 36), "-" between
 * ```
 *
 * @module
 */

import { xxh64 } from "../../core/content_digest.ts";
import type { VolumeId } from "../../core/gid.ts";

/**
 * Makes an id.
 *
 * @param checksum Of the volumes of a stream, as {@linkcode checksumOf} answers it.
 * @param lsns The LSN seen of each, ascending by volume; 0 for none.
 *
 * @example
 * ```ts
 * import { parseGid } from "../../core/gid.ts";
 * import { checksumOf, encodeEventId } from "./event_ids.ts";
 *
 * const vid = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
 * console.log(encodeEventId(checksumOf([vid]), [72])); // "c749697f.20"
 * ```
 */
export function encodeEventId(checksum: string, lsns: readonly number[]): string {
  return `${checksum}.${lsns.map((lsn) => lsn.toString(36)).join("-")}`;
}

/**
 * What tells ids of some volumes from those of others: 8 hex digits.
 *
 * @param vids The volumes of a stream, ascending.
 */
export function checksumOf(vids: readonly VolumeId[]): string {
  const hash = xxh64(new TextEncoder().encode(vids.join()), 0n);
  return BigInt.asUintN(32, hash).toString(16).padStart(8, "0");
}

/**
 * Reads an id that anyone may have sent.
 *
 * @param vids The volumes of the stream that goes on, ascending.
 * @returns The LSN seen of each; undefined for an id of other volumes, or none of ours.
 */
export function decodeEventId(vids: readonly VolumeId[], id: string): number[] | undefined {
  const [prefix, list, ...rest] = id.split(".");
  if (rest.length > 0 || list === undefined || prefix !== checksumOf(vids)) return undefined;
  const lsns = list.split("-").map((text) =>
    /^[0-9a-z]{1,11}$/.test(text) ? parseInt(text, 36) : -1
  );
  const sane = lsns.length === vids.length &&
    lsns.every((lsn) => lsn >= 0 && Number.isSafeInteger(lsn));
  return sane ? lsns : undefined;
}
