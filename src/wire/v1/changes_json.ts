/**
 * What changed in a volume, as JSON.
 *
 * @module
 */

import { base64urlnopad, hex } from "@scure/base";
import type { Digest } from "../../core/content_digest.ts";
import { type LsnRange, toLsn } from "../../core/lsn.ts";
import { PageSet } from "../../core/page_set.ts";
import {
  type ChainedSnapshot,
  JsonFields,
  snapshotFromJson,
  type SnapshotJson,
  snapshotToJson,
} from "./snapshot_json.ts";

/** What changed between two snapshots. */
export interface Changes {
  /** The newest snapshot, or the one at the end that was asked for. */
  readonly snapshot: ChainedSnapshot;
  /** The LSNs after the one asked from; undefined where that is none: nothing changed, or no start was given. */
  readonly range: LsnRange | undefined;
  /** Every page that may have changed in the range; undefined where there is none. */
  readonly graft: PageSet | undefined;
  /** The digest of the commit asked from; undefined where there is none, or it is below the floor. */
  readonly sinceDigest: Digest | undefined;
}

/** {@linkcode Changes} as JSON. */
export interface ChangesJson {
  /** See {@linkcode Changes.snapshot}. */
  readonly snapshot: SnapshotJson;
  /** Both ends inclusive. */
  readonly range: { readonly start: number; readonly end: number } | null;
  /** The encoded page set as base64url without padding. */
  readonly graft: string | null;
  /** 32 hex digits. */
  readonly sinceDigest: string | null;
}

/** Changes on their way out. */
export function changesToJson({ snapshot, range, graft, sinceDigest }: Changes): ChangesJson {
  return {
    snapshot: snapshotToJson(snapshot),
    range: range === undefined ? null : { start: range.start, end: range.end },
    graft: graft === undefined ? null : graftToText(graft),
    sinceDigest: sinceDigest === undefined ? null : hex.encode(sinceDigest),
  };
}

/**
 * Changes on their way in.
 *
 * @param value What `JSON.parse` made of an answer; it may be anything.
 * @throws {GraftError} `invalid` that names the field that is none.
 */
export function changesFromJson(value: unknown): Changes {
  const fields = new JsonFields("the changes", value);
  return {
    snapshot: snapshotFromJson(fields.any("snapshot")),
    range: fields.has("range") ? rangeFromJson(fields.any("range")) : undefined,
    graft: fields.has("graft") ? fields.bytes("graft", graftFromText) : undefined,
    sinceDigest: fields.has("sinceDigest") ? fields.digest("sinceDigest") : undefined,
  };
}

/** A page set as text: its encoding as base64url without padding. */
export function graftToText(graft: PageSet): string {
  return base64urlnopad.encode(graft.bytes);
}

/**
 * The page set that {@linkcode graftToText} wrote.
 *
 * @throws {Error} When it is anything else.
 */
export function graftFromText(text: string): PageSet {
  return PageSet.decode(base64urlnopad.decode(text));
}

function rangeFromJson(value: unknown): LsnRange {
  const fields = new JsonFields("the range of changes", value);
  return { start: fields.number("start", toLsn), end: fields.number("end", toLsn) };
}
