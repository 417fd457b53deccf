// Many logs over one store, and writers that race through all of them.

import { deepEqual, equal } from "node:assert/strict";
import { clientIdFromName, type VolumeId } from "../../core/gid.ts";
import { isGraftError } from "../../core/errors.ts";
import type { CommitLog, CommitRecord } from "../commit_log.ts";
import { newVolume, recordAfter, recordsOf } from "../_testing.ts";

/** What racers do. */
export interface Race {
  /** One for each process. */
  readonly logs: readonly CommitLog[];
  readonly volumes: number;
  readonly writers: number;
  /** Commits that each writer begins. */
  readonly commits: number;
}

/** What became of a race. */
export interface RaceResult {
  readonly vids: readonly VolumeId[];
  /** What was acknowledged. */
  readonly landed: readonly CommitRecord[];
  /** Appends that nobody knows the outcome of. */
  readonly unknown: number;
  /** Appends that lost. */
  readonly stale: number;
}

/** Lets writers commit on the same volumes through different logs, on the head that each knows last. */
export async function race({ logs, volumes, writers, commits }: Race): Promise<RaceResult> {
  const vids = Array.from({ length: volumes }, newVolume);
  const landed: CommitRecord[] = [];
  let [unknown, stale] = [0, 0];
  await Promise.all(Array.from({ length: writers }, async (_, writer) => {
    const log = logs[writer % logs.length];
    const cid = clientIdFromName(`writer ${writer}`);
    for (let i = 0; i < commits; i++) {
      const vid = vids[(writer + i) % vids.length];
      try {
        const base = i % 3 === 0 ? await log.head(vid) : await log.lastKnownHead(vid);
        const record = recordAfter(vid, base, { cid });
        const outcome = await log.append(record, base, await log.collectionVersion());
        if (outcome === "landed") landed.push(record);
        else {
          stale++;
          await log.head(vid);
        }
      } catch (error) {
        if (!isGraftError(error, "unavailable")) throw error;
        unknown++;
      }
    }
  }));
  return { vids, landed, unknown, stale };
}

/** Asserts that every log tells the same lines, without gaps, and all that was acknowledged is in them. */
export async function assertLines(
  logs: readonly CommitLog[],
  { vids, landed, unknown }: RaceResult,
): Promise<void> {
  let total = 0;
  for (const vid of vids) {
    const { head } = await logs[0].headFromStore(vid);
    const line = await recordsOf(logs[0], vid, 1, head?.lsn ?? 0);
    deepEqual(line.map(({ lsn }) => lsn), Array.from({ length: head?.lsn ?? 0 }, (_, i) => i + 1));
    deepEqual(line.at(-1)?.digest, head?.digest);
    total += line.length;
    for (const log of logs) {
      deepEqual((await log.head(vid)).head, head);
      deepEqual(await recordsOf(log, vid, 1, head?.lsn ?? 0), line);
    }
    for (const record of landed.filter((each) => each.vid === vid)) {
      deepEqual(line[record.lsn - 1], record);
    }
  }
  const names = new Set(landed.map(({ vid, lsn }) => `${vid} ${lsn}`));
  equal(names.size, landed.length, "one LSN was acknowledged twice");
  equal(total >= landed.length && total <= landed.length + unknown, true, `${total}`);
}
