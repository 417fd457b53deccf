/**
 * Identifiers of volumes, segments and clients.
 *
 * An identifier is 16 bytes; everywhere but on the wire it is its text form:
 *
 * ```text
 * kind (1 byte: 0x80 volume, 0xA0 segment, 0xC0 client) · milliseconds since 1970 (6 bytes, big-endian) · random (9)
 * text form: base58 with Bitcoin's alphabet, always 22 characters; it sorts as the bytes do
 * ```
 *
 * @module
 */

import { blake3 } from "@noble/hashes/blake3.js";
import { decodeBase58, encodeBase58 } from "./_base58.ts";
import { assert } from "./assert.ts";
import type { Clock } from "./clock.ts";
import { GraftError } from "./errors.ts";
import type { Random } from "./random.ts";

declare const kindBrand: unique symbol;

/** The identifier of a volume: 22 characters. */
export type VolumeId = string & { readonly [kindBrand]: "volume" };
/** The identifier of a segment: 22 characters. */
export type SegmentId = string & { readonly [kindBrand]: "segment" };
/** The identifier of a client: 22 characters. */
export type ClientId = string & { readonly [kindBrand]: "client" };
/** Any identifier. */
export type Gid = VolumeId | SegmentId | ClientId;

/** What an identifier names. */
export type GidKind = "volume" | "segment" | "client";

interface KindToId {
  volume: VolumeId;
  segment: SegmentId;
  client: ClientId;
}

const KIND_BYTE = { volume: 0x80, segment: 0xa0, client: 0xc0 } as const;
/** Bytes of an identifier on the wire. */
export const GID_BYTES = 16;
const TIME_MS_MAX = 2 ** 48 - 1;

/**
 * Makes a new identifier.
 *
 * @param kind What it will name.
 * @param clock Gives the time in it.
 * @param random Gives its last nine bytes.
 *
 * @example
 * ```ts
 * import { newGid } from "./gid.ts";
 * import { systemClock } from "./clock.ts";
 * import { systemRandom } from "./random.ts";
 *
 * console.log(newGid("volume", systemClock, systemRandom)); // "GonwTRj2SohJzYLLjD9nSq"
 * ```
 */
export function newGid<K extends GidKind>(kind: K, clock: Clock, random: Random): KindToId[K] {
  return build(kind, clock.now(), random.fill(new Uint8Array(9)));
}

/**
 * The client identifier that a name stands for, the same on every machine: time 0 and the first nine
 * bytes of the BLAKE3 hash of the name in UTF-8.
 */
export function clientIdFromName(name: string): ClientId {
  return build("client", 0, blake3(new TextEncoder().encode(name)).subarray(0, 9));
}

function build<K extends GidKind>(kind: K, timeMs: number, tail: Uint8Array): KindToId[K] {
  assert(
    timeMs >= 0 && timeMs <= TIME_MS_MAX && tail.length === 9,
    "An identifier's parts are off",
  );
  const bytes = new Uint8Array(GID_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(1, Math.floor(timeMs / 65_536));
  view.setUint16(5, timeMs % 65_536);
  bytes[0] = KIND_BYTE[kind];
  bytes.set(tail, 7);
  return encodeBase58(bytes) as KindToId[K];
}

/**
 * Reads an identifier from its 16 bytes.
 *
 * @throws {GraftError} `invalid` for another length or another kind.
 */
export function gidFromBytes<K extends GidKind>(kind: K, bytes: Uint8Array): KindToId[K] {
  if (bytes.length !== GID_BYTES) {
    throw new GraftError(
      "invalid",
      `Cannot read the ${kind} id: it has ${bytes.length} bytes instead of ${GID_BYTES}`,
    );
  }
  if (bytes[0] !== KIND_BYTE[kind]) {
    throw new GraftError(
      "invalid",
      `Cannot read the ${kind} id: its first byte is 0x${
        bytes[0].toString(16).padStart(2, "0")
      }, ` +
        `not 0x${KIND_BYTE[kind].toString(16)}`,
    );
  }
  return encodeBase58(bytes) as KindToId[K];
}

/** The 16 bytes of an identifier. */
export function gidToBytes(id: Gid): Uint8Array<ArrayBuffer> {
  const bytes = decodeBase58(id);
  assert(bytes !== undefined, `An id is not base58: "${id}"`);
  return bytes;
}

/**
 * Reads an identifier from its text form.
 *
 * @throws {GraftError} `invalid` unless it is 22 base58 characters of this kind.
 *
 * @example
 * ```ts
 * import { parseGid } from "./gid.ts";
 *
 * console.log(parseGid("volume", "GonwTRj2SohJzYLLjD9nSq")); // "GonwTRj2SohJzYLLjD9nSq"
 * ```
 */
export function parseGid<K extends GidKind>(kind: K, text: string): KindToId[K] {
  const bytes = decodeBase58(text);
  if (bytes === undefined) {
    throw new GraftError(
      "invalid",
      `Cannot read "${text}" as a ${kind} id: it is not 22 base58 characters`,
    );
  }
  return gidFromBytes(kind, bytes);
}

/** When an identifier was made, in milliseconds since 1970, by the clock of its maker. */
export function gidTimeMs(id: Gid): number {
  const bytes = gidToBytes(id);
  const view = new DataView(bytes.buffer);
  return view.getUint32(1) * 65_536 + view.getUint16(5);
}
