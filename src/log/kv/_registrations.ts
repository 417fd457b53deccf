// Which segments may be committed.

import { LRUCache } from "lru-cache";
import type { SegmentId } from "../../core/gid.ts";
import { readRegistration, writeRegistration } from "../codec/segment_registration.ts";
import type { Registration } from "../commit_log.ts";
import { registrationBytes } from "../_registration_bytes.ts";
import { registrationKey } from "./_keys.ts";
import type { LargeValues } from "./_large_values.ts";
import { REGISTRATIONS_BYTES_MAX } from "./_limits.ts";
import type { KvCalls } from "./_store/kv_calls.ts";
import type { GroupWriter } from "./_write/group_writer.ts";

/** What {@linkcode Registrations} is made of. */
export interface RegistrationsParts {
  readonly calls: KvCalls;
  readonly writer: GroupWriter;
  readonly largeValues: LargeValues;
}

/**
 * The registrations of segments, of which those written or read lately are in memory. One that another
 * process has collected since may be answered: a commit then still refuses the segment for its age, long
 * before a collector may touch it.
 */
export class Registrations {
  readonly #parts: RegistrationsParts;
  readonly #known = new LRUCache<SegmentId, Registration>({
    maxSize: REGISTRATIONS_BYTES_MAX,
    sizeCalculation: registrationBytes,
  });

  constructor(parts: RegistrationsParts) {
    this.#parts = parts;
  }

  async add(registration: Registration): Promise<void> {
    const { writer, largeValues } = this.#parts;
    const key = registrationKey(registration.sid);
    const { value } = await largeValues.prepare(
      key,
      (writer) => writeRegistration(writer, registration),
    );
    await writer.write([{ key, value }]);
    this.#known.set(registration.sid, registration);
  }

  async get(sid: SegmentId): Promise<Registration | undefined> {
    return this.#known.get(sid) ?? await this.#read(sid);
  }

  async #read(sid: SegmentId): Promise<Registration | undefined> {
    const { calls, largeValues } = this.#parts;
    const key = registrationKey(sid);
    const { value, versionstamp } = await calls.get(key);
    if (versionstamp === null) return undefined;
    const found = await largeValues.decode(key, value, (reader) => readRegistration(reader, sid));
    this.#known.set(sid, found);
    return found;
  }
}
