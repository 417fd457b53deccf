// What the system's errors mean to a caller of the store.

import { GraftError, type GraftErrorCode } from "../../core/errors.ts";
import { systemCode } from "../_disk_io.ts";

interface Meaning {
  readonly state: string;
  readonly code: GraftErrorCode;
  readonly hint?: string;
}

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENOSPC: { state: "the disk is full", code: "unavailable", hint: "Make room on the disk" },
  EDQUOT: { state: "the quota is used up", code: "unavailable", hint: "Raise the quota" },
  EMFILE: {
    state: "the process has too many open files",
    code: "unavailable",
    hint: "Raise the limit of open files (ulimit -n)",
  },
  ENFILE: { state: "the machine has too many open files", code: "unavailable" },
  EIO: { state: "the disk failed", code: "unavailable", hint: "Check the disk" },
  EACCES: {
    state: "the system does not allow it",
    code: "unavailable",
    hint: "Give the user that runs the server the right to read and write there",
  },
  EROFS: { state: "the file system is read-only", code: "unavailable", hint: "Check the disk" },
  ENOENT: { state: "a folder of the store is gone", code: "unavailable", hint: "Check the disk" },
  EISDIR: {
    state: "a file stands where a folder is needed, or a folder where a file is",
    code: "unavailable",
    hint: "Look at what stands there; on a disk, the keys a and a/b exclude each other",
  },
};

const ALIASES: Readonly<Record<string, string>> = {
  EPERM: "EACCES",
  EEXIST: "EISDIR",
  ENOTDIR: "EISDIR",
};

/** Whether an error says that there is no such file. */
export function isAbsence(error: unknown): boolean {
  const code = systemCode(error);
  return code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR";
}

/** Whether an error says that nothing more fits. */
export function isFull(error: unknown): boolean {
  const code = systemCode(error);
  return code === "ENOSPC" || code === "EDQUOT";
}

/**
 * The GraftError for what the disk threw while `what` was done ("put "a" into file:/data"). Errors that
 * are GraftErrors already, and bugs (assertions), stay as they are.
 */
export function toGraftError(what: string, error: unknown): unknown {
  const code = systemCode(error);
  if (error instanceof GraftError || code === undefined) return error;
  const meaning = MEANINGS[ALIASES[code] ?? code];
  if (meaning === undefined) {
    return new GraftError("internal", `Cannot ${what}: the system answered ${code}`, {
      cause: error,
    });
  }
  return new GraftError(meaning.code, `Cannot ${what}: ${meaning.state}`, {
    cause: error,
    ...(meaning.hint === undefined ? {} : { hint: meaning.hint }),
  });
}
