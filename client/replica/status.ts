/**
 * How a replica is doing.
 *
 * @module
 */

import type { VolumeId } from "../../src/core/gid.ts";
import type { Lsn } from "../../src/core/lsn.ts";

/**
 * Where a replica is, compared with its server:
 *
 * | state | meaning | what to do |
 * |---|---|---|
 * | `synced` | no local commits | |
 * | `ahead` | local commits wait to be pushed | |
 * | `pushing` | they are being pushed | |
 * | `conflict` | others committed on what the local commits rest on | `reset()`, `replay()` or `keepBoth()` |
 * | `rejected` | the server refuses the local commits for good | likewise, or get another token |
 * | `unknown` | the server does not know the volume, which it knew before | check the URL; it is asked again |
 * | `deleted` | the volume is gone for ever | `keepBoth()`, or close it |
 */
export type ReplicaState =
  | "synced"
  | "ahead"
  | "pushing"
  | "conflict"
  | "rejected"
  | "unknown"
  | "deleted";

/** The status of a replica at one moment. */
export interface ReplicaStatus {
  /** The volume. */
  readonly vid: VolumeId;
  /** Where the replica is. */
  readonly state: ReplicaState;
  /** Whether the server answers, as far as is known. */
  readonly isOnline: boolean;
  /** The newest LSN of the server that is known in full; undefined: none. */
  readonly lsn: Lsn | undefined;
  /** How many pages the volume has here. */
  readonly pageCount: number;
  /** Local commits that the server does not have. */
  readonly localCommits: number;
  /** Pages that can be read without the server. */
  readonly localPages: number;
  /** Bytes of the storage. */
  readonly storageBytes: number;
  /** What went wrong last, unless the same went well since. */
  readonly error: unknown;
}
