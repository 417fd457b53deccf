// Strong reads of heads.

import type { Clock } from "../../../core/clock.ts";
import { digestsEqual } from "../../../core/content_digest.ts";
import { GraftError } from "../../../core/errors.ts";
import type { VolumeId } from "../../../core/gid.ts";
import { nextLsn } from "../../../core/lsn.ts";
import { damaged } from "../../codec/sealed_value.ts";
import type { BucketCalls } from "../_bucket_calls.ts";
import { parseRecordKey, volumePrefix } from "../_format/keys.ts";
import type { RecordObject } from "../_format/record_object.ts";
import { FOLLOWED_MAX, HEAD_FOLLOWED_WITHIN_MS } from "../_limits.ts";
import type { RecordObjects } from "../_records/record_objects.ts";
import type { HeadState } from "./head_state.ts";
import { ageMs, momentOf } from "./moment.ts";
import { NextFlights } from "./next_flights.ts";

/** What a {@linkcode HeadReader} is made of. */
export interface HeadReaderParts {
  readonly calls: BucketCalls;
  readonly objects: RecordObjects;
  readonly clock: Clock;
  /** What is known of a head already. */
  readonly known: (vid: VolumeId) => HeadState | undefined;
  /** Takes what a read shows, before its callers do. */
  readonly onRead: (vid: VolumeId, state: HeadState) => void;
}

/** An object may go between the listing that named it and its read; twice in a row means something else. */
const LISTINGS_MAX = 3;

/**
 * Reads heads from the store.
 *
 * A head that is known for less than 30 minutes is gone on from by name: no object at the next LSN means
 * that none was ever there, as names are freed an hour after a base above them at the earliest. Any other
 * is found by a listing of one name, which is the newest.
 */
export class HeadReader {
  readonly #parts: HeadReaderParts;
  readonly #flights = new NextFlights<VolumeId, HeadState>();

  constructor(parts: HeadReaderParts) {
    this.#parts = parts;
  }

  /** The head, by requests that are sent from here on. Those who ask at the same time share them. */
  read(vid: VolumeId): Promise<HeadState> {
    return this.#flights.run(vid, async () => {
      const state = await this.#follow(vid) ?? await this.#list(vid);
      this.#parts.onRead(vid, state);
      return state;
    });
  }

  /** Goes on from what is known; undefined where that cannot be done, or takes too long. */
  async #follow(vid: VolumeId): Promise<HeadState | undefined> {
    const { clock, objects, known } = this.#parts;
    const from = known(vid);
    let newest = from?.newest;
    for (let followed = 0; from !== undefined && newest !== undefined; followed++) {
      const sentAt = momentOf(clock);
      // nothing comes after a tombstone
      if (newest.deleted) return { newest, knownAt: sentAt };
      if (ageMs(from.knownAt, clock) >= HEAD_FOLLOWED_WITHIN_MS) return undefined;
      const next: RecordObject | undefined = await objects.get(vid, nextLsn(newest.lsn));
      if (next === undefined) return { newest, knownAt: sentAt };
      if (followed === FOLLOWED_MAX || !follows(next, newest)) return undefined;
      newest = next;
    }
    return undefined;
  }

  async #list(vid: VolumeId): Promise<HeadState> {
    const { calls, clock, objects } = this.#parts;
    for (let listings = 0; listings < LISTINGS_MAX; listings++) {
      const knownAt = momentOf(clock);
      const [key] = await calls.keys(volumePrefix(vid), { limit: 1 });
      if (key === undefined) return { newest: undefined, knownAt };
      const named = parseRecordKey(key);
      if (named === undefined) throw damaged(key, "its name is none of a record's");
      const newest = await objects.get(vid, named.lsn);
      if (newest !== undefined) return { newest, knownAt };
    }
    throw new GraftError(
      "unavailable",
      `Cannot read volume "${vid}": its newest record is listed, and not there`,
    );
  }
}

function follows(next: RecordObject, { record }: RecordObject): boolean {
  return digestsEqual(next.deleted ? next.record.digest : next.record.parentDigest, record.digest);
}
