/**
 * Writers and readers on several volumes, with a ledger of what was acknowledged to them.
 *
 * @module
 */

import { systemClock } from "../../src/core/clock.ts";
import { isGraftError } from "../../src/core/errors.ts";
import { type ClientId, newGid, type VolumeId } from "../../src/core/gid.ts";
import { READ_PAGES_MAX } from "../../src/core/limits.ts";
import { FIRST_LSN, type Lsn, toLsn } from "../../src/core/lsn.ts";
import { PageBuffer } from "../../src/core/page_buffer.ts";
import type { PageCount } from "../../src/core/page.ts";
import { PageSet } from "../../src/core/page_set.ts";
import { systemRandom } from "../../src/core/random.ts";
import type { Snapshot } from "../../src/core/snapshot.ts";
import { WireClient, WireFailure } from "../harness/wire_client.ts";
import { type Attempt, Ledger, pageDefects } from "./server_ledger.ts";
import { pageContent } from "./server_page_content.ts";

const PAGES_MAX = 600;
const TRANSACTION_PAGES_MAX = 40;

/** Thrown where the server answered something that cannot be. */
export class Violation extends Error {
  /** The name that reports show. */
  override readonly name = "Violation";
}

/** A whole number from `from` to `to`, both inclusive. */
export type Dice = (from: number, to: number) => number;

/** Dice that fall the same for the same seed. */
export function diceOf(seed: number): Dice {
  let state = seed >>> 0;
  return (from, to) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return from + ((mixed ^ (mixed >>> 14)) >>> 0) % (to - from + 1);
  };
}

let attempts = 0;

/** A volume under load. */
export class LoadedVolume {
  /** Its id. */
  readonly vid: VolumeId = newGid("volume", systemClock, systemRandom);
  /** What it must hold. */
  readonly ledger = new Ledger();
  readonly #dice: Dice;
  readonly #writers: ClientId[];

  /** `writers` clients compete for it. */
  constructor(writers: number, dice: Dice) {
    this.#dice = dice;
    this.#writers = Array.from(
      { length: writers },
      () => newGid("client", systemClock, systemRandom),
    );
  }

  /** Writes and reads until the server dies; throws a {@linkcode Violation} when it lies. */
  async run(url: string): Promise<void> {
    const writing = this.#writers.map((cid) => this.#untilGone(url, (to) => this.#write(to, cid)));
    const reading = this.#untilGone(url, (to) => this.#readSomething(to));
    await Promise.all([...writing, reading]);
  }

  async #untilGone(url: string, step: (to: WireClient) => Promise<void>): Promise<void> {
    using client = new WireClient(url);
    try {
      while (true) await step(client);
    } catch (error) {
      if (!isBrokenConnection(error)) throw error;
    }
  }

  async #write(to: WireClient, cid: ClientId): Promise<void> {
    const base = this.#writers.length === 1 ? this.ledger.head : await headOf(to, this.vid);
    const attempt = this.#newAttempt(cid, base);
    attempt.segments = await to.writePages(this.vid, pagesOf(attempt));
    // now and then nothing is committed: pages alone must do no harm
    if (this.#dice(1, 20) === 1) return;
    await this.#commit(to, attempt);
  }

  async #commit(to: WireClient, attempt: Attempt): Promise<void> {
    this.ledger.sending(attempt);
    try {
      const snapshot = await sendCommit(to, attempt);
      this.ledger.acknowledge(attempt, snapshot.lsn);
    } catch (error) {
      // an honest refusal: another writer was first
      if (!isGraftError(error, "conflict") || this.#writers.length === 1) throw error;
      this.ledger.refuse(attempt);
    }
  }

  #newAttempt(cid: ClientId, base: number): Attempt {
    const dice = this.#dice;
    const pageCount = dice(1, 12) === 1 ? dice(50, 300) : PAGES_MAX;
    const from = dice(1, pageCount - TRANSACTION_PAGES_MAX);
    const step = dice(1, 3);
    const pageIdxs = Array.from(
      { length: dice(1, TRANSACTION_PAGES_MAX) },
      (_, i) => from + i * step,
    )
      .filter((pageIdx) => pageIdx <= pageCount);
    return { id: ++attempts, vid: this.vid, cid, base, pageCount, pageIdxs, segments: [] };
  }

  async #readSomething(to: WireClient): Promise<void> {
    const { head } = this.ledger;
    if (head === 0) return void await headOf(to, this.vid);
    const from = this.#dice(1, PAGES_MAX);
    const wanted = Array.from({ length: this.#dice(1, 64) }, (_, i) => from + i);
    await this.#readAndCompare(to, this.#dice(1, head), wanted);
  }

  /** Compares the whole volume with the ledger, then sends again what was in doubt. */
  async verify(url: string): Promise<void> {
    using client = new WireClient(url);
    await this.#verifyLine(client);
    for (const attempt of this.ledger.inDoubt) await this.#settle(client, attempt);
    await this.#verifyLine(client);
    const all = Array.from({ length: PAGES_MAX }, (_, i) => i + 1);
    const { head } = this.ledger;
    if (head === 0) return;
    for (const lsn of [head, this.#dice(1, head)]) await this.#readAndCompare(client, lsn, all);
  }

  async #verifyLine(to: WireClient): Promise<void> {
    const line = await orNothing(to.pullCommits(this.vid, FIRST_LSN)) ?? [];
    this.#demandNothing(this.ledger.checkLine(line), "the line");
    const head = await headOf(to, this.vid);
    if (head !== line.length) throw new Violation(`The head is ${head}, the line ${line.length}`);
  }

  /** Its pages were acknowledged, so the commit must be possible unless its place is taken. */
  async #settle(to: WireClient, attempt: Attempt): Promise<void> {
    const isTaken = await headOf(to, this.vid) > attempt.base;
    try {
      const snapshot = await sendCommit(to, attempt);
      if (isTaken) throw new Violation(`Attempt ${attempt.id} landed on a taken LSN`);
      this.ledger.acknowledge(attempt, snapshot.lsn);
    } catch (error) {
      if (!isTaken || !isGraftError(error, "conflict")) throw error;
      this.ledger.refuse(attempt);
    }
  }

  async #readAndCompare(to: WireClient, lsn: number, wanted: readonly number[]): Promise<void> {
    const expected = this.ledger.pagesAt(lsn);
    for (let at = 0; at < wanted.length; at += READ_PAGES_MAX) {
      const part = wanted.slice(at, at + READ_PAGES_MAX);
      const answered = await to.readPages(this.vid, toLsn(lsn), PageSet.from(part));
      this.#demandNothing(pageDefects(answered, expected, part), `LSN ${lsn}`);
    }
  }

  #demandNothing(defects: readonly string[], where: string): void {
    if (defects.length === 0) return;
    throw new Violation(`${this.vid} at ${where}: ${defects.slice(0, 5).join("; ")}`);
  }
}

/** The pages of an attempt, as it sends them. */
export function pagesOf(attempt: Attempt): PageBuffer {
  const pages = new PageBuffer(attempt.pageIdxs.length);
  for (const pageIdx of attempt.pageIdxs) pages.add(pageIdx).set(pageContent(attempt.id, pageIdx));
  return pages;
}

/** Sends the commit of an attempt whose pages are written. */
export function sendCommit(to: WireClient, attempt: Attempt): Promise<Snapshot> {
  return to.commit({
    vid: attempt.vid,
    cid: attempt.cid,
    snapshotLsn: attempt.base === 0 ? undefined : attempt.base as Lsn,
    pageCount: attempt.pageCount as PageCount,
    segments: attempt.segments,
  });
}

async function headOf(to: WireClient, vid: VolumeId): Promise<number> {
  return (await orNothing(to.snapshot(vid)))?.lsn ?? 0;
}

/** What a call answered; undefined where that was 404. */
export async function orNothing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isGraftError(error, "missing")) return undefined;
    throw error;
  }
}

/** Whether the server went away, as opposed to having answered something. */
export function isBrokenConnection(error: unknown): boolean {
  return !(error instanceof WireFailure) && !(error instanceof Violation) &&
    (error instanceof TypeError || error instanceof Deno.errors.Http);
}
