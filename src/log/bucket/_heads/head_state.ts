// What a process knows of a volume's head.

import { FIRST_LSN, type Lsn } from "../../../core/lsn.ts";
import type { Head, HeadRead } from "../../commit_log.ts";
import type { RecordObject } from "../_format/record_object.ts";
import type { Moment } from "./moment.ts";

/** The newest object of a volume, as of a moment; undefined: the volume has none. It is never changed. */
export interface HeadState {
  readonly newest: RecordObject | undefined;
  /**
   * Before the request was sent that showed it. At that moment or later it was the newest, so whatever is
   * newer was made after it.
   */
  readonly knownAt: Moment;
  /** Whether the name after it was found taken since, so that no commit on it can land. */
  readonly isPassed?: boolean;
}

/** The LSN of the newest object's name: one above the head's where the volume is deleted; 0 for none. */
export function objectLsn({ newest }: HeadState): number {
  return newest?.lsn ?? 0;
}

/** The head, with the state itself as the version that an append is compared with. */
export function headReadOf(state: HeadState): HeadRead {
  return { head: state.newest && headOf(state.newest), version: state };
}

/** The head that an object makes. */
export function headOf({ record, deleted }: RecordObject): Head {
  const { lsn, pageCount, cid, digest, timestampMs } = record;
  return { lsn, pageCount, cid, digest, timestampMs, floorLsn: floorOf(lsn), deleted };
}

/** The floor of a volume: the first LSN, as no line is truncated yet. */
function floorOf(_headLsn: Lsn): Lsn {
  return FIRST_LSN;
}
