/**
 * Pragmas that a volume answers otherwise than a file would.
 *
 * @module
 */

import { GraftError } from "../../../src/core/errors.ts";
import { otherPageSize } from "./_refusals.ts";
import type { PragmaHandler } from "./volume_vfs.ts";

/** In the order in which SQLite looks for them: the beginning of a name is enough for it. */
const JOURNAL_MODES = ["delete", "persist", "off", "truncate", "memory", "wal"];
const PAGE_SIZE = "4096";

/**
 * Answers what a volume cannot do, and asks another handler for the rest. What is left is SQLite's, but for the names
 * that begin with `graft_`.
 */
export function volumePragmas(next: PragmaHandler): PragmaHandler {
  return (name, value) => {
    switch (name) {
      case "page_size":
        return requirePageSize(value);
      case "journal_mode":
        return value === undefined ? undefined : journalMode(value.toLowerCase());
      case "locking_mode":
        return requireShared(value);
      case "busy_timeout":
        // it would block the very thread that could end the wait; the database waits by itself
        return "0";
    }
    const answer = next(name, value);
    if (answer === undefined && name.startsWith("graft_")) throw unknownPragma(name);
    return answer;
  };
}

function requirePageSize(value: string | undefined): undefined {
  if (value !== undefined && value !== PAGE_SIZE) throw otherPageSize();
}

/** A journal lies in memory whatever its mode: nothing is written before the commit. */
function journalMode(value: string): string | undefined {
  const mode = JOURNAL_MODES.find((known) => known.startsWith(value));
  if (mode === "wal" || mode === "off") {
    const why = mode === "wal" ? "commits are the volume's" : "rollbacks need a journal";
    throw new GraftError("invalid", `Cannot use the journal mode ${mode}: ${why}`, {
      hint: "Leave it as it is: memory",
    });
  }
  return mode === undefined || mode === "memory" ? undefined : "memory";
}

function requireShared(value: string | undefined): undefined {
  if (value?.toLowerCase() !== "exclusive") return;
  throw new GraftError("invalid", "Cannot lock a volume exclusively: others may always read it");
}

function unknownPragma(name: string): GraftError {
  return new GraftError("invalid", `Cannot answer the pragma "${name}": there is no such pragma`, {
    hint: "There are graft_status, graft_snapshot, graft_pages, graft_pull, graft_sync, " +
      "graft_sync_errors, graft_reset and graft_version",
  });
}
