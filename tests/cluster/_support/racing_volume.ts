/**
 * A volume that many writers commit to through any process.
 *
 * @module
 */

import { systemClock } from "../../../src/core/clock.ts";
import { isGraftError } from "../../../src/core/errors.ts";
import { type ClientId, newGid, type VolumeId } from "../../../src/core/gid.ts";
import { nextLsn, toLsn } from "../../../src/core/lsn.ts";
import { PageSet } from "../../../src/core/page_set.ts";
import { systemRandom } from "../../../src/core/random.ts";
import type { Commit } from "../../../src/wire/messages.ts";
import { type Attempt, Ledger, pageDefects } from "../../durability/server_ledger.ts";
import {
  type Dice,
  orNothing,
  pagesOf,
  sendCommit,
  Violation,
} from "../../durability/server_load.ts";
import { pause } from "../../harness/poll.ts";
import { type Callers, isRefusedConnection } from "./callers.ts";

/** Pages that volumes have; few, so that commits overwrite each other's. */
export const PAGES_MAX = 48;
const TRANSACTION_PAGES_MAX = 4;
/** Writers rest between transactions: the machine is to be busy with servers, not with load. */
const REST_MS = [20, 400] as const;
/** One in so many acknowledgements is looked at through other processes at once. */
const LOOK_ONE_IN = 3;

/** The two roles, each with all its processes. */
export interface Roles {
  /** Calls to metastores. */
  readonly metastores: Callers;
  /** Calls to pagestores. */
  readonly pagestores: Callers;
}

let attempts = 0;

/** A volume, its writers, and what it must hold. */
export class RacingVolume {
  /** Its id. */
  readonly vid: VolumeId = newGid("volume", systemClock, systemRandom);
  /** What was acknowledged. */
  readonly ledger = new Ledger();
  /** The same by LSN. */
  readonly landed = new Map<number, Attempt>();
  /** Commits that were refused because another one was first. */
  conflicts = 0;
  /** Commits that were sent again because nobody knew what had become of them. */
  doubts = 0;
  readonly #roles: Roles;
  readonly #dice: Dice;
  readonly #writers: readonly ClientId[];
  #newest = 0;

  /** `writers` clients compete for it. */
  constructor(roles: Roles, writers: number, dice: Dice) {
    this.#roles = roles;
    this.#dice = dice;
    this.#writers = Array.from(
      { length: writers },
      () => newGid("client", systemClock, systemRandom),
    );
  }

  /**
   * Lets all writers go on until `signal`, each to the end of its transaction.
   *
   * @throws {Violation} For the first thing that should not be, when all writers have stopped.
   */
  async run(signal: AbortSignal): Promise<void> {
    const failed = new AbortController();
    const until = AbortSignal.any([signal, failed.signal]);
    const writing = this.#writers.map((cid) => this.#write(cid, until));
    try {
      await Promise.all(writing);
    } finally {
      failed.abort();
      await Promise.allSettled(writing);
    }
  }

  async #write(cid: ClientId, signal: AbortSignal): Promise<void> {
    let base = 0;
    while (!signal.aborted) {
      // a client commits on what it knows, and now and then it asks before
      if (this.#dice(1, 2) === 1) base = await this.#head();
      base = await this.#transact(cid, base);
      await pause(this.#dice(...REST_MS));
    }
  }

  /** Tries one transaction and returns the head that its writer knows then. */
  async #transact(cid: ClientId, base: number): Promise<number> {
    const { metastores, pagestores } = this.#roles;
    const attempt = this.#newAttempt(cid, base);
    attempt.segments = await pagestores.anywhere((to) => to.writePages(this.vid, pagesOf(attempt)));
    this.ledger.sending(attempt);
    let inDoubt = false;
    try {
      const { lsn } = await metastores.anywhere((to) =>
        sendCommit(to, attempt).catch((error) => {
          inDoubt ||= !isRefusedConnection(error) && !isGraftError(error, "conflict");
          throw error;
        })
      );
      this.#acknowledge(attempt, lsn);
    } catch (error) {
      if (!isGraftError(error, "conflict")) throw error;
      return await this.#pullPast(attempt);
    } finally {
      if (inDoubt) this.doubts++;
    }
    if (this.#dice(1, LOOK_ONE_IN) === 1) await this.#look(attempt);
    return attempt.base + 1;
  }

  #newAttempt(cid: ClientId, base: number): Attempt {
    const pageCount = this.#dice(1, 10) === 1 ? this.#dice(1, PAGES_MAX) : PAGES_MAX;
    const pageIdxs = new Set(Array.from(
      { length: this.#dice(1, TRANSACTION_PAGES_MAX) },
      () => this.#dice(1, pageCount),
    ));
    const sorted = [...pageIdxs].sort((a, b) => a - b);
    return { id: ++attempts, vid: this.vid, cid, base, pageCount, pageIdxs: sorted, segments: [] };
  }

  #acknowledge(attempt: Attempt, lsn: number): void {
    this.ledger.acknowledge(attempt, lsn);
    this.landed.set(lsn, attempt);
    this.#newest = Math.max(this.#newest, lsn);
  }

  /** Pulls what was first, as a client does, and demands that there is such a thing. */
  async #pullPast(refused: Attempt): Promise<number> {
    const start = nextLsn(refused.base === 0 ? undefined : toLsn(refused.base));
    const atLeast = this.#newest;
    const line = await orNothing(
      this.#roles.metastores.anywhere((to) => to.pullCommits(this.vid, start)),
    );
    const first = line?.[0];
    const name = `${this.vid}: attempt ${refused.id} was refused on base ${refused.base}`;
    if (first === undefined) throw new Violation(`${name}, which is the head`);
    if (isOf(first, refused)) throw new Violation(`${name}, and its commit landed`);
    if (this.#writers.length === 1) throw new Violation(`${name}, and nobody else writes`);
    this.ledger.refuse(refused);
    this.conflicts++;
    const head = line?.at(-1)?.snapshot.lsn ?? 0;
    this.#demandNotOlder(head, atLeast, "A pull");
    return head;
  }

  /** Right after an acknowledgement every other process must know of it. */
  async #look(attempt: Attempt): Promise<void> {
    await this.#head();
    const wanted = PageSet.from(attempt.pageIdxs);
    const answered = await this.#roles.pagestores.anywhere((to) =>
      to.readPages(this.vid, toLsn(attempt.base + 1), wanted)
    );
    const expected = new Map(attempt.pageIdxs.map((pageIdx) => [pageIdx, attempt.id]));
    const defects = pageDefects(answered, expected, attempt.pageIdxs);
    if (defects.length > 0) throw new Violation(`${this.vid}: ${defects.join("; ")}`);
  }

  async #head(): Promise<number> {
    const atLeast = this.#newest;
    const snapshot = await orNothing(
      this.#roles.metastores.anywhere((to) => to.snapshot(this.vid)),
    );
    const head = snapshot?.lsn ?? 0;
    this.#demandNotOlder(head, atLeast, "A snapshot");
    return head;
  }

  #demandNotOlder(head: number, atLeast: number, what: string): void {
    if (head >= atLeast) return;
    throw new Violation(
      `${this.vid}: ${what} asked for after LSN ${atLeast} was acknowledged is at ${head}`,
    );
  }
}

/** Whether a commit that stands in the line is this attempt. */
export function isOf({ snapshot, segments }: Commit, attempt: Attempt): boolean {
  return snapshot.cid === attempt.cid && snapshot.lsn === attempt.base + 1 &&
    segments.map(({ sid }) => sid).join() === attempt.segments.map(({ sid }) => sid).join();
}
