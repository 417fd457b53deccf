/**
 * Opens replicas.
 *
 * @module
 */

import { type Clock, systemClock } from "../src/core/clock.ts";
import { GraftError } from "../src/core/errors.ts";
import { newGid, parseGid, type VolumeId } from "../src/core/gid.ts";
import { type Random, systemRandom } from "../src/core/random.ts";
import { systemTimers, type Timers } from "../src/core/timers.ts";
import type { Decompress } from "../src/wire/v1/page_stream_decoder.ts";
import { baseUrl, headersFor, requireKnown } from "./_setup.ts";
import { decompressKey, decompressOf } from "./_decompress.ts";
import type { Fetch } from "./_transport.ts";
import { GraftClient } from "./graft_client.ts";
import type { SnapshotChoice } from "./options.ts";
import { DetectingRemote } from "./replica/remote/detecting_remote.ts";
import { PastRemote } from "./replica/remote/past_remote.ts";
import { ProtocolRemote } from "./replica/remote/protocol_remote.ts";
import type { RemoteSnapshot, ReplicaRemote } from "./replica/remote/remote.ts";
import { type Prefetch, Replica } from "./replica/replica.ts";
import { SharedRemotes } from "./replica/remote/shared_remotes.ts";
import { V1Remote } from "./replica/remote/v1_remote.ts";
import { openStorage } from "./storage/open_storage.ts";
import type { ReplicaStorage } from "./storage/replica_storage.ts";

/** How a replica is opened. Everything is optional. */
export interface OpenReplicaOptions {
  /** Where it keeps pages: `memory:` (default), `sqlite:PATH`, `opfs:NAME`, `idb:NAME`, or a storage that is open. */
  readonly storage?: string | ReplicaStorage;
  /** Whether to wait while another program or tab has the storage open; default: it is refused at once. */
  readonly wait?: boolean;
  /** How many bytes the storage may have; pages that the server has, too, are evicted beyond it. Default: no bound. */
  readonly storageBytesMax?: number;
  /** The metastore's URL, where it is another than the pagestore's: with `--role`, and the original's servers. */
  readonly metastoreUrl?: string | URL;
  /** The token that the server asks for, without `Bearer `. */
  readonly token?: string;
  /** Who commits, in a storage that does not know the volume yet; nobody else may use it. Default: a new id. */
  readonly clientId?: string;
  /**
   * Opens the volume as it was, and read-only: at an LSN, or at the last commit at or before a time (a `Date`, RFC
   * 3339, or so long ago: `2h`). Its pages are kept in memory only.
   */
  readonly at?: number | Date | string;
  /** Which pages to fetch along with those that are missed; default: none. */
  readonly prefetch?: Prefetch;
  /**
   * Decompresses pages. Default: a small decoder in JavaScript; `false`: pages come uncompressed. A program that
   * reads much passes `(stored, length) => codec.decompress(stored, length)` with a `WasmCodec` of
   * `@graft/graft/segment`. Replicas with another function, or none, have connections of their own.
   */
  readonly decompress?: Decompress | false;
  /** What sends requests; default: the platform's `fetch`. A replica with its own shares no connection. */
  readonly fetch?: Fetch;
  /** How long one request may take, up to the last byte of its answer; default 60,000 ms. */
  readonly attemptMs?: number;
  /** How long a read may take, all attempts and waits included; default 10,000 ms. */
  readonly deadlineMs?: number;
  /** Time, for tests; default: the platform's. */
  readonly clock?: Clock;
  /** Chance, for tests; default: the platform's. */
  readonly random?: Random;
  /** Waiting, for tests; default: the platform's. */
  readonly timers?: Timers;
}

/** The names of its options. */
export const REPLICA_OPTIONS: readonly (keyof OpenReplicaOptions)[] = Object.keys(
  {
    storage: true,
    wait: true,
    storageBytesMax: true,
    metastoreUrl: true,
    token: true,
    clientId: true,
    at: true,
    prefetch: true,
    decompress: true,
    fetch: true,
    attemptMs: true,
    deadlineMs: true,
    clock: true,
    random: true,
    timers: true,
  } satisfies Record<keyof OpenReplicaOptions, true>,
) as (keyof OpenReplicaOptions)[];

const ATTEMPT_MS = 60_000;
const DEADLINE_MS = 10_000;

/** Replicas of one server share its connection. */
const remotes = new SharedRemotes();

/**
 * Opens a replica of a volume: pages are fetched when they are read, and then kept; commits are made here, and
 * pushed in the background.
 *
 * What the storage has can be read at once, and offline. A volume that it does not know is asked for first.
 *
 * @param url The server's URL.
 * @param volumeId The volume; without one a new volume begins, which comes into being on the server with the
 * first push.
 * @throws {GraftError} `invalid` for arguments that make no sense; `unavailable` when another has the storage
 * open, or the server is not reached and the storage does not know the volume; `unauthorized`, `forbidden`, `damaged`.
 *
 * @example
 * ```ts
 * import { openReplica } from "./open_replica.ts";
 *
 * async function example(url: string, volumeId: string): Promise<void> {
 *   const replica = await openReplica(url, volumeId, { storage: "memory:" });
 *   const page = await replica.snapshot().read(7); // fetched once, then local
 *   await replica.transaction(async (tx) => {
 *     const changed = (await tx.read(7)).slice();
 *     changed[0]++;
 *     tx.write(7, changed);
 *   }); // committed here
 *   await replica.sync(); // and on the server
 *   console.log(page.length, replica.status().state); // 4096 "synced"
 *   await replica.close();
 * }
 * ```
 */
export async function openReplica(
  url: string | URL,
  volumeId?: string,
  options: OpenReplicaOptions = {},
): Promise<Replica> {
  requireKnown(options, REPLICA_OPTIONS);
  const { clock = systemClock, random = systemRandom, timers = systemTimers } = options;
  const newVolumeId = () => newGid("volume", clock, random);
  if (volumeId === undefined && options.at !== undefined) {
    throw new GraftError("invalid", "Cannot open a new volume as it was: it has no past");
  }
  const vid = volumeId === undefined ? newVolumeId() : parseGid("volume", volumeId);
  const given = options.clientId === undefined ? [] : [parseGid("client", options.clientId)];
  const current = openRemote(baseUrl(url), options);
  const remote = options.at === undefined ? current : new PastRemote(current, () => {
    return snapshotAt(url, vid, options);
  });
  let storage: ReplicaStorage | undefined;
  try {
    storage = await openStorageOf(options);
    return await Replica.open({
      storage,
      remote,
      vid,
      isNew: volumeId === undefined,
      isReadOnly: options.at !== undefined,
      // the given one is used once: after a reset that left a push open there is another
      newClientId: () => given.pop() ?? newGid("client", clock, random),
      newVolumeId,
      random,
      timers,
      bytesMax: bytesMaxOf(options),
      prefetch: options.prefetch,
    });
  } catch (error) {
    remote.close();
    await storage?.close();
    throw error;
  }
}

/** The snapshot that is meant by `at`. */
async function snapshotAt(
  url: string | URL,
  vid: VolumeId,
  { at, metastoreUrl, token, fetch, attemptMs, deadlineMs }: OpenReplicaOptions,
): Promise<RemoteSnapshot> {
  const client = new GraftClient(url, { metastoreUrl, token, fetch, attemptMs, deadlineMs });
  const choice: SnapshotChoice = typeof at === "number" ? { lsn: at } : { at };
  const { cid, lsn, pageCount, timestampMs } = await client.snapshot(vid, choice);
  return { vid, cid, lsn, pageCount, timestampMs, digest: undefined };
}

async function openStorageOf({ storage = "memory:", wait, at }: OpenReplicaOptions) {
  if (at !== undefined && storage !== "memory:") {
    throw new GraftError("invalid", "Cannot keep what is past in a storage: it is read in memory");
  }
  if (typeof storage === "string") return await openStorage(storage, { wait });
  if (typeof storage?.write === "function") return storage;
  throw new GraftError("invalid", `Cannot use ${storage} as a storage: it is none`);
}

function bytesMaxOf({ storageBytesMax = Infinity }: OpenReplicaOptions): number {
  if (typeof storageBytesMax === "number" && storageBytesMax > 0) return storageBytesMax;
  throw new GraftError(
    "invalid",
    `Cannot bound a storage to ${storageBytesMax} bytes: that is no number above 0`,
  );
}

function openRemote(url: string, options: OpenReplicaOptions): ReplicaRemote {
  const { token, clock, random, timers } = options;
  // refuses a token that cannot be one
  headersFor(token);
  const isOwn = [options.fetch, clock, random, timers].some((part) => part !== undefined);
  if (isOwn) return makeRemote(url, options);
  return remotes.open(
    JSON.stringify([url, `${options.metastoreUrl}`, token, decompressKey(options.decompress)]),
    () => makeRemote(url, options),
  );
}

function makeRemote(url: string, options: OpenReplicaOptions): ReplicaRemote {
  const parts = {
    token: options.token,
    // called as a method of another object, the browsers' fetch throws
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    timers: options.timers ?? systemTimers,
    attemptMs: options.attemptMs ?? ATTEMPT_MS,
    deadlineMs: options.deadlineMs ?? DEADLINE_MS,
    decompress: decompressOf(options.decompress),
  } as const;
  const metastoreUrl = options.metastoreUrl === undefined ? url : baseUrl(options.metastoreUrl);
  return new DetectingRemote({
    v1: () => new V1Remote({ ...parts, url, metastoreUrl }),
    protocol: () =>
      new ProtocolRemote({
        url,
        timers: parts.timers,
        options: { ...parts, metastoreUrl, protocol: "v0.1" },
      }),
  });
}
