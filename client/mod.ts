/**
 * The client of Graft: read and write the pages of volumes on a Graft server.
 *
 * This is the lite client: it keeps nothing locally. A volume is a sequence of pages of 4,096 bytes,
 * numbered from 1. Its history is a line of snapshots; each has a number, its LSN. To change a volume,
 * write pages, then commit them on the snapshot that they are based on. If another commit came first, the
 * commit is refused with the code `conflict`: pull, redo the work, try again.
 *
 * It runs in browsers, Deno, Node and Bun. It needs `fetch` and WebAssembly, nothing else.
 *
 * ## Limitations
 *
 * - Servers without the v1 interface, the original's, send pages without checksums: TLS has to protect
 *   them on their way. What an answer holds is checked against what was asked.
 * - An answer is held in memory whole: a read of many thousand pages is better made in portions.
 * - A commit names at most 64 segments, which is a gigabyte of pages written by {@linkcode GraftClient}.
 * - The deadline is one request's, and a call may make several: give it a signal to bound the whole.
 * - A `fetch` that cannot stream is enough, as requests are sent in one piece of at most 16 MiB.
 * - In a browser, the server must allow the page's origin (`serve --cors`).
 *
 * @example
 * ```ts
 * import { GraftClient, isGraftError } from "./mod.ts";
 *
 * const client = new GraftClient("http://127.0.0.1:3000");
 *
 * // sets the first byte of a page, however many others write to the volume
 * async function setByte(vid: string, pageIdx: number, value: number): Promise<void> {
 *   for (;;) {
 *     const { lsn, pageCount } = await client.snapshot(vid);
 *     const page = (await client.read(vid, lsn, [pageIdx])).page(pageIdx);
 *     const changed = page?.slice() ?? new Uint8Array(4096);
 *     changed[0] = value;
 *     try {
 *       await client.push(vid, lsn, [[pageIdx, changed]], Math.max(pageCount, pageIdx));
 *       return;
 *     } catch (error) {
 *       if (!isGraftError(error, "conflict")) throw error;
 *     }
 *   }
 * }
 *
 * console.log(typeof setByte, client.clientId.length); // "function" 22
 * ```
 *
 * @module
 */

export { openReplica, type OpenReplicaOptions } from "./open_replica.ts";
export {
  type Prefetch,
  type PrefetchContext,
  Replica,
  type ReplicaChange,
  type ReplicaParts,
} from "./replica/replica.ts";
export type {
  RemoteChanges,
  RemoteCommit,
  RemoteNews,
  RemoteSnapshot,
  ReplicaRemote,
} from "./replica/remote/remote.ts";
export type { LocalChanges } from "./replica/local/replica_store.ts";
export type { TransactionFunction } from "./replica/replay.ts";
export { ReplicaSnapshot, type SnapshotParts } from "./replica/snapshot.ts";
export type { ReplicaState, ReplicaStatus } from "./replica/status.ts";
export { Transaction, type TransactionBase } from "./replica/transaction.ts";
export type { ReplicaStorage, StorageBatch, StorageRange } from "./storage/replica_storage.ts";
export type { Decompress } from "../src/wire/v1/page_stream_decoder.ts";
export type { Digest } from "../src/core/content_digest.ts";

export { GraftClient } from "./graft_client.ts";
export type {
  CallOptions,
  CommitParts,
  GraftClientOptions,
  PageToWrite,
  ProtocolName,
  PullRange,
  SnapshotChoice,
} from "./options.ts";
export { PagesRead } from "./pages_read.ts";
export type { Fetch } from "./_transport.ts";

export type { Clock } from "../src/core/clock.ts";
export {
  GraftError,
  type GraftErrorCode,
  type GraftErrorOptions,
  isGraftError,
} from "../src/core/errors.ts";
export {
  type ClientId,
  clientIdFromName,
  parseGid,
  type SegmentId,
  type VolumeId,
} from "../src/core/gid.ts";
export { type Lsn, type LsnRange, toLsn } from "../src/core/lsn.ts";
export { type PageCount, type PageIdx, toPageCount, toPageIdx } from "../src/core/page.ts";
export { PageSet } from "../src/core/page_set.ts";
export type { Random } from "../src/core/random.ts";
export type { SegmentUse, Snapshot } from "../src/core/snapshot.ts";
export type { Timers } from "../src/core/timers.ts";
export type { Commit, PulledGraft } from "../src/wire/snapshot_messages.ts";
