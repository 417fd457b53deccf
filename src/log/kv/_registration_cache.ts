// Registrations that this process wrote or read lately.

import { LRUCache } from "lru-cache";
import type { SegmentId } from "../../core/gid.ts";
import type { Registration } from "../commit_log.ts";
import { REGISTRATIONS_BYTES_MAX } from "./_limits.ts";

/** What an entry costs beside its page sets. */
const REGISTRATION_BYTES = 300;
const VOLUME_BYTES = 300;

/**
 * Registrations by segment, up to a number of bytes. One that another process has collected since may be
 * answered: a commit then still refuses the segment for its age, long before a collector may touch it.
 */
export class RegistrationCache {
  readonly #registrations = new LRUCache<SegmentId, Registration>({
    maxSize: REGISTRATIONS_BYTES_MAX,
    sizeCalculation: sizeOf,
  });

  get(sid: SegmentId): Registration | undefined {
    return this.#registrations.get(sid);
  }

  put(registration: Registration): void {
    this.#registrations.set(registration.sid, registration);
  }
}

function sizeOf({ volumes }: Registration): number {
  return volumes.reduce(
    (bytes, { pageSet }) => bytes + pageSet.bytes.length + VOLUME_BYTES,
    REGISTRATION_BYTES,
  );
}
