// What the tests of this folder share: docs/graft.proto through an independent codec, and arbitrary messages.

import fc from "fast-check";
import protobuf from "protobufjs";
import { GraftError } from "../core/errors.ts";
import type { GidKind } from "../core/gid.ts";
import { gidFromBytes, gidToBytes, parseGid } from "../core/gid.ts";
import { PAGE_COUNT_MAX, PAGE_SIZE } from "../core/limits.ts";
import type { Lsn } from "../core/lsn.ts";
import type { PageCount } from "../core/page.ts";
import { PageSet } from "../core/page_set.ts";
import type { SegmentUse, Snapshot } from "../core/snapshot.ts";
import type { Commit } from "./messages.ts";
import type { PageList } from "./page_messages.ts";

/** A message of the schema as the oracle sees it: plain objects, numbers and byte arrays. */
export type Plain = Record<string, unknown>;

const schema = protobuf.parse(
  Deno.readTextFileSync(new URL("../../docs/graft.proto", import.meta.url)),
  { keepCase: true },
).root;
schema.addJSON(protobuf.common.get("google/protobuf/timestamp.proto")!.nested!);

/** Encodes by the schema. */
export function oracleEncode(name: string, plain: Plain): Uint8Array<ArrayBuffer> {
  const type = schema.lookupType(`graft.${name}`);
  return Uint8Array.from(type.encode(type.create(plain)).finish());
}

/** Decodes by the schema: absent fields stay absent, but lists are always there. */
export function oracleDecode(name: string, bytes: Uint8Array): Plain {
  const type = schema.lookupType(`graft.${name}`);
  return type.toObject(type.decode(bytes), { longs: Number, arrays: true });
}

/** The message of the GraftError `invalid` that `decode` throws; any other outcome fails the test. */
export function refusalOf(decode: () => unknown): string {
  try {
    decode();
  } catch (error) {
    if (error instanceof GraftError && error.code === "invalid") return error.message;
    throw error;
  }
  throw new Error("The input was accepted");
}

function gids<K extends GidKind>(kind: K, first: number) {
  return fc.uint8Array({ minLength: 15, maxLength: 15 })
    .map((tail) => gidFromBytes(kind, Uint8Array.of(first, ...tail)));
}

/** Volume ids. */
export const volumeIds = gids("volume", 0x80);
/** Segment ids. */
export const segmentIds = gids("segment", 0xa0);
/** Client ids. */
export const clientIds = gids("client", 0xc0);
/** LSNs: mostly small, also the largest. */
export const lsns = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.maxSafeNat().map((n) => Math.max(n, 1)),
  fc.constant(Number.MAX_SAFE_INTEGER),
).map((n) => n as Lsn);
/** Page counts. */
export const pageCounts = fc.integer({ min: 0, max: PAGE_COUNT_MAX }).map((n) => n as PageCount);
/** Page indexes: the lengths of their varints are all there. */
export const pageIdxs = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 1, max: PAGE_COUNT_MAX }),
  fc.constant(PAGE_COUNT_MAX),
);
/** Page sets without 0, the empty one among them. */
export const pageSets = fc.uniqueArray(pageIdxs, { maxLength: 40 }).map((all) => PageSet.from(all));
/** Segments as a commit names them. */
export const segments: fc.Arbitrary<SegmentUse> = fc.record({
  sid: segmentIds,
  pageSet: pageSets,
});
/** Snapshots; times before 1970 too. */
export const snapshots: fc.Arbitrary<Snapshot> = fc.record({
  vid: volumeIds,
  cid: clientIds,
  lsn: lsns,
  checkpointLsn: lsns,
  pageCount: pageCounts,
  timestampMs: fc.integer({ min: -8_640_000_000_000, max: 8_640_000_000_000 }),
});
/** Commits. */
export const commits: fc.Arbitrary<Commit> = fc.record({
  snapshot: snapshots,
  segments: fc.array(segments, { maxLength: 4 }),
});

/** 4,096 bytes that differ from page to page and within one. */
export function pageBytes(seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(PAGE_SIZE);
  for (let i = 0; i < PAGE_SIZE; i++) bytes[i] = (seed * 31 + i * 7 + (i >> 8)) & 0xff;
  return bytes;
}

/** Pages with these indexes, in this order. */
export function pagesOf(indexes: readonly number[]): PageList {
  return { indexes: Uint32Array.from(indexes), page: (i) => pageBytes(indexes[i]) };
}

/** Joins byte arrays. */
export function join(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** A seeded generator of whole numbers from 0 to `below` - 1. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    // mulberry32
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor(((t ^ (t >>> 14)) >>> 0) / 2 ** 32 * below);
  };
}

/** A volume. */
export const VID = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
/** Field 1 of a `write_pages` request: that volume. */
export const VID_FIELD = Uint8Array.of(0x0a, 16, ...gidToBytes(VID));
/** A field that this version does not know. */
export const LATER = Uint8Array.of(0xa2, 0x06, 3, 1, 2, 3);
/** Field 1 of a page. */
export const IDX = (pageIdx: number) => Uint8Array.of(0x08, ...varint(pageIdx));
/** Field 2 of a page: its {@linkcode pageBytes}. */
export const DATA = (pageIdx: number) => join(Uint8Array.of(0x12, 0x80, 0x20), pageBytes(pageIdx));

/** A whole number as a varint. */
export function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push(rest % 128 + 128);
  return [...bytes, rest];
}

/** Field 2 of a `write_pages` request: a page of these parts. */
export function pageField(...parts: readonly Uint8Array[]): Uint8Array {
  const inner = join(...parts);
  return join(Uint8Array.of(0x12, ...varint(inner.length)), inner);
}
