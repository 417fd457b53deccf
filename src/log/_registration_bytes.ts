// What a registration in memory costs.

import type { Registration } from "./commit_log.ts";

/** What an entry costs beside its page sets. */
const REGISTRATION_BYTES = 300;
const VOLUME_BYTES = 300;

/** Bytes of memory, about. */
export function registrationBytes({ volumes }: Registration): number {
  return volumes.reduce(
    (bytes, { pageSet }) => bytes + pageSet.bytes.length + VOLUME_BYTES,
    REGISTRATION_BYTES,
  );
}
