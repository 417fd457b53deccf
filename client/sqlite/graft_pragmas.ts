/**
 * The pragmas of Graft, which tell of the replica below a database.
 *
 * @module
 */

import { GraftError } from "../../src/core/errors.ts";
import type { Replica } from "../replica/replica.ts";
import type { ReplicaSnapshot } from "../replica/snapshot.ts";
import type { Connection } from "./connection.ts";
import type { PragmaAnswer, PragmaHandler } from "./vfs/volume_vfs.ts";

/** This package's version. */
export const VERSION = "0.1.0";

/** Words of the original for states that somebody has to see to. */
const STATES: Readonly<Record<string, string>> = {
  unknown: "InterruptedPush",
  conflict: "Conflict",
  rejected: "RejectedCommit",
  deleted: "Deleted",
};

/**
 * Answers the original's pragmas, in its words: `graft_status`, `graft_snapshot`, `graft_pages`, `graft_pull`,
 * `graft_sync`, `graft_sync_errors`, `graft_reset`, `graft_version`.
 */
export function graftPragmas(replica: Replica): (connection: Connection) => PragmaHandler {
  return (connection) => (name, value) => {
    switch (name) {
      case "graft_version":
        return `Graft Version: ${VERSION}\n`;
      case "graft_status":
        return status(replica, connection);
      case "graft_snapshot":
        return snapshot(replica, connection) ?? null;
      case "graft_pages":
        return pages(replica);
      case "graft_sync_errors":
        return syncErrors(replica);
      case "graft_sync":
        return sync(value);
      case "graft_pull":
        return replica.sync().then(() => null);
      case "graft_reset":
        return reset(replica, connection);
    }
  };
}

function status(replica: Replica, connection: Connection): string {
  const { vid, state } = replica.status();
  return [
    "Graft Status",
    `Client ID: ${replica.cid}`,
    `Volume ID: ${vid}`,
    `Current snapshot: ${snapshot(replica, connection) ?? "None"}`,
    "Autosync: true",
    `Volume status: ${STATES[state] ?? "Ok"}`,
    "",
  ].join("\n");
}

/** Local state and page count; then the state that the server has, and its LSN there. */
function snapshot(replica: Replica, connection: Connection): string | undefined {
  const now = replica.status();
  const pushed = replica.state - now.localCommits;
  const isHeld = connection.isInTransaction && connection.state !== undefined;
  const state = isHeld ? connection.state : replica.state;
  const { pageCount, lsn } = isHeld ? connection : now;
  if (state === 0) return undefined;
  const synced = lsn === undefined ? "" : `[${Math.min(pushed, state)}r${lsn}]`;
  return `Snapshot[${state};${pageCount}]${synced}`;
}

function pages(replica: Replica): string {
  const snapshot = replica.snapshot();
  try {
    return listPages(snapshot);
  } finally {
    snapshot.close();
  }
}

function listPages(snapshot: ReplicaSnapshot): string {
  const lines = [`${"pageno".padEnd(8)} | ${"lsn".padEnd(6)} | state`];
  for (let pageIdx = 1; pageIdx <= snapshot.pageCount; pageIdx++) {
    const isHere = snapshot.has(pageIdx);
    // what is not here is at the server's LSN, what is here is part of the local state
    const at = String(isHere ? snapshot.state : snapshot.lsn);
    const state = isHere ? "available" : "pending";
    lines.push(`${String(pageIdx).padEnd(8)} | ${at.padEnd(6)} | ${state}`);
  }
  return `${lines.join("\n")}\n`;
}

function syncErrors(replica: Replica): string {
  const { error } = replica.status();
  return `Recent sync errors:\n${error === undefined ? "" : `${String(error)}\n`}`;
}

/** It is always on: what was committed here is of no use to others before it is pushed. */
function sync(value: string | undefined): PragmaAnswer {
  if (value?.toLowerCase() === "true") return null;
  const state = value === undefined ? "it needs a value" : "a replica always syncs";
  throw new GraftError("invalid", `Cannot run the pragma "graft_sync": ${state}`, {
    hint: "pragma graft_sync = true",
  });
}

function reset(replica: Replica, connection: Connection): Promise<PragmaAnswer> {
  if (!connection.isInTransaction) return replica.reset().then(() => null);
  throw new GraftError("invalid", "Cannot reset the replica: a transaction is open", {
    hint: "Commit or roll back first",
  });
}
