// What the errors of a browser's storages mean to a caller.

import { GraftError, type GraftErrorCode } from "../../src/core/errors.ts";

interface Meaning {
  readonly state: string;
  readonly code: GraftErrorCode;
  readonly hint?: string;
}

const TAKEN_AWAY: Meaning = {
  state: "the browser took it away",
  code: "unavailable",
  hint: "Open it again; the site's data may have been cleared",
};

const FORBIDDEN: Meaning = {
  state: "the browser does not allow it here",
  code: "unavailable",
  hint: "Storage may be blocked for this site, or in this kind of window; memory: always works",
};

/** By the name of the `DOMException`. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  QuotaExceededError: {
    state: "the storage that the browser allows is full",
    code: "unavailable",
    hint: "Remove what is not needed, or ask for more with navigator.storage.persist()",
  },
  NoModificationAllowedError: {
    state: "another tab or worker has it open",
    code: "unavailable",
    hint: "Close it there, or open it with `wait`; a second replica needs a storage of its own",
  },
  InvalidStateError: TAKEN_AWAY,
  NotFoundError: TAKEN_AWAY,
  SecurityError: FORBIDDEN,
  NotAllowedError: FORBIDDEN,
  NotReadableError: { state: "the browser cannot read it", code: "damaged" },
  DataError: { state: "the browser cannot read it", code: "damaged" },
  VersionError: {
    state: "it was made by a later version",
    code: "invalid",
    hint: "Update the program",
  },
};

const UNKNOWN: Meaning = {
  state: "the browser failed",
  code: "unavailable",
  // some have no better word for a window in which nothing may be stored
  hint: "Try again; where the browser stores nothing, use memory:",
};

/** The GraftError for what a browser threw while `what` was done; GraftErrors and bugs stay as they are. */
export function browserError(what: string, error: unknown): unknown {
  if (!(error instanceof DOMException)) return error;
  const { state, code, hint } = MEANINGS[error.name] ?? UNKNOWN;
  return new GraftError(code, `Cannot ${what}: ${state}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
