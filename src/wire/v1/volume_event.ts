/**
 * What `/v1/events` tells of volumes.
 *
 * ```text
 * id: <opaque>
 * event: commit | deleted | forbidden | resync
 * data: <JSON in one line>
 * ```
 *
 * @module
 */

import { hex } from "@scure/base";
import type { Digest } from "../../core/content_digest.ts";
import { GraftError } from "../../core/errors.ts";
import type { ClientId, VolumeId } from "../../core/gid.ts";
import { type Lsn, toLsn } from "../../core/lsn.ts";
import { type PageCount, toPageCount } from "../../core/page.ts";
import type { PageSet } from "../../core/page_set.ts";
import { graftFromText, graftToText } from "./changes_json.ts";
import { JsonFields } from "./snapshot_json.ts";

/** A volume moved on, by one commit or by several. */
export interface CommitEvent {
  /** What happened. */
  readonly type: "commit";
  /** The volume. */
  readonly vid: VolumeId;
  /** Who committed the newest of them. */
  readonly cid: ClientId;
  /** The volume's new head. */
  readonly lsn: Lsn;
  /** Its digest. */
  readonly digest: Digest;
  /** How many pages the volume has now. */
  readonly pageCount: PageCount;
  /** When it was committed, in milliseconds since 1970. */
  readonly timestampMs: number;
  /** The LSN that {@linkcode CommitEvent.graft} counts from, 0 for none; undefined where there is no graft. */
  readonly since: number | undefined;
  /** Every page that may have changed after `since`; undefined: ask `changes`. */
  readonly graft: PageSet | undefined;
}

/** A volume is gone for ever. */
export interface DeletedEvent {
  /** What happened. */
  readonly type: "deleted";
  /** The volume. */
  readonly vid: VolumeId;
}

/** The reader's token does not allow to read a volume: nothing is told of it. */
export interface ForbiddenEvent {
  /** What happened. */
  readonly type: "forbidden";
  /** The volume. */
  readonly vid: VolumeId;
}

/** The server cannot tell what was missed: the reader asks `changes` for each of its volumes. */
export interface ResyncEvent {
  /** What happened. */
  readonly type: "resync";
}

/** One event. */
export type VolumeEvent = CommitEvent | DeletedEvent | ForbiddenEvent | ResyncEvent;

/** The lines of an event, without its id and without the empty line at its end. */
export function encodeVolumeEvent(event: VolumeEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(dataOf(event))}\n`;
}

/**
 * Reads an event.
 *
 * @param type The value of its `event` field.
 * @param data The value of its `data` field.
 * @returns The event; undefined for one of a type that is unknown: pass over it.
 * @throws {GraftError} `invalid` for data that is malformed.
 *
 * @example
 * ```ts
 * import { decodeVolumeEvent } from "./volume_event.ts";
 *
 * console.log(decodeVolumeEvent("deleted", '{"vid":"GonwTRj2SohJzYLLjD9nSq"}')?.type); // "deleted"
 * ```
 */
export function decodeVolumeEvent(type: string, data: string): VolumeEvent | undefined {
  if (type === "resync") return { type };
  if (type !== "commit" && type !== "deleted" && type !== "forbidden") return undefined;
  const fields = new JsonFields("the event", parse(data));
  const vid = fields.volumeId("vid");
  if (type !== "commit") return { type, vid };
  const hasGraft = fields.has("graft");
  return {
    type,
    vid,
    cid: fields.clientId("cid"),
    lsn: fields.number("lsn", toLsn),
    digest: fields.digest("digest"),
    pageCount: fields.number("pageCount", toPageCount),
    timestampMs: fields.timeMs("timestamp"),
    since: hasGraft ? fields.number("since", (value) => value) : undefined,
    graft: hasGraft ? fields.bytes("graft", graftFromText) : undefined,
  };
}

function dataOf(event: VolumeEvent): unknown {
  if (event.type === "resync") return {};
  if (event.type !== "commit") return { vid: event.vid };
  const { vid, cid, lsn, digest, pageCount, timestampMs, since, graft } = event;
  return {
    vid,
    cid,
    lsn,
    digest: hex.encode(digest),
    pageCount,
    timestamp: new Date(timestampMs).toISOString(),
    since: since ?? null,
    graft: graft === undefined ? null : graftToText(graft),
  };
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch (cause) {
    throw new GraftError("invalid", "Cannot read the event: its data is not JSON", { cause });
  }
}
