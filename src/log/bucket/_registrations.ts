// Which segments may be committed: those whose objects are there.

import { LRUCache } from "lru-cache";
import { isGraftError } from "../../core/errors.ts";
import { gidTimeMs, type SegmentId } from "../../core/gid.ts";
import { SEGMENT_TAIL_BYTES_MAX } from "../../core/limits.ts";
import { type ObjectStore, segmentKey } from "../../objects/object_store.ts";
import { SingleFlight } from "../../objects/single_flight.ts";
import { openSegment } from "../../segment/segment_directory.ts";
import type { Registration } from "../commit_log.ts";
import { registrationBytes } from "../_registration_bytes.ts";
import { REGISTRATIONS_BYTES_MAX } from "./_limits.ts";

/**
 * What segments hold: of those written here from memory, of others by the end of the object. One that
 * was collected since may be answered: a commit then still refuses the segment for its age, long before a
 * collector may touch it.
 */
export class Registrations {
  readonly #segments: ObjectStore;
  readonly #flights = new SingleFlight<SegmentId, Registration | undefined>();
  readonly #known = new LRUCache<SegmentId, Registration>({
    maxSize: REGISTRATIONS_BYTES_MAX,
    sizeCalculation: registrationBytes,
  });

  constructor(segments: ObjectStore) {
    this.#segments = segments;
  }

  add(registration: Registration): void {
    this.#known.set(registration.sid, registration);
  }

  async get(sid: SegmentId): Promise<Registration | undefined> {
    return this.#known.get(sid) ?? await this.#flights.run(sid, () => this.#read(sid));
  }

  async #read(sid: SegmentId): Promise<Registration | undefined> {
    try {
      const tail = await this.#segments.getTail(segmentKey(sid), SEGMENT_TAIL_BYTES_MAX);
      const volumes = [...openSegment(sid, tail).volumes()];
      const found = {
        sid,
        timestampMs: gidTimeMs(sid),
        sizeBytes: tail.sizeBytes,
        // not the directories themselves, which hold the places of all frames
        volumes: volumes.map(({ vid, pageSet, digest }) => ({
          vid,
          pageSet,
          digest: digest.slice(),
        })),
      };
      this.add(found);
      return found;
    } catch (error) {
      if (isGraftError(error, "missing")) return undefined;
      throw error;
    }
  }
}
