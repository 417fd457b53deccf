// Errors about segments that do not verify: all of them name the object.

import { GraftError } from "../core/errors.ts";
import type { SegmentId } from "../core/gid.ts";

/** The error for a segment whose bytes are not what was written. */
export function damagedSegment(sid: SegmentId, state: string, cause?: unknown): GraftError {
  return new GraftError("damaged", `Cannot read segment "${sid}": ${state}`, { cause });
}
