// Which records an object carries beside its own, and so which objects tell a range.

import { type Lsn, toLsn } from "../../../core/lsn.ts";

/** An object carries the records since the last multiple of this. */
export const RUN = 64;
/** An object at a multiple of {@linkcode RUN} carries the records since the last multiple of this. */
export const FOLD = 4096;

/** The lowest LSN that the object at `lsn` carries, if there is room for so much. */
export function carriesFrom(lsn: Lsn): Lsn {
  const span = isFold(lsn) ? FOLD : RUN;
  return toLsn((Math.ceil(lsn / span) - 1) * span + 1);
}

/** Whether the object at `lsn` carries the records of many others. */
export function isFold(lsn: Lsn): boolean {
  return lsn % RUN === 0;
}

/** Of the objects from `lsn` to `limit`, the highest that carries `lsn`, if there was room for so much. */
export function highestCarrying(lsn: number, limit: number): Lsn {
  const fold = Math.ceil(lsn / FOLD) * FOLD;
  if (fold <= limit) return toLsn(fold);
  const run = Math.floor(limit / RUN) * RUN;
  return toLsn(run >= lsn ? run : limit);
}
