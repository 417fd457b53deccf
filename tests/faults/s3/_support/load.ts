/**
 * A small load of transactions, and whether everything that was acknowledged is there.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Callers } from "../../../cluster/_support/callers.ts";
import { RacingVolume } from "../../../cluster/_support/racing_volume.ts";
import { verifyLine, verifyPages } from "../../../cluster/_support/verify_race.ts";
import { diceOf } from "../../../durability/server_load.ts";

/** Writers of each volume: two volumes are contended. */
const WRITERS = [6, 2, 1, 1, 1, 1];
/** How many LSNs of each volume are read whole at the end, beside its newest. */
const LSNS_READ = 15;

/** What a load came to. */
export interface LoadOutcome {
  /** Commits that landed. */
  readonly commits: number;
  /** Answers of 503 that clients met and got over. */
  readonly unavailable: number;
}

/** Writers that ask one server, each its call again for as long as it is answered with 503. */
export class Load implements Disposable {
  readonly #callers: Callers;
  readonly #volumes: readonly RacingVolume[];
  readonly #over = new AbortController();
  readonly #running: Promise<unknown>;

  /** Starts at once; `seed` is what dice fall by. */
  constructor(server: { readonly url: string }, seed: number) {
    const dice = diceOf(seed);
    this.#callers = new Callers([server], dice);
    const roles = { metastores: this.#callers, pagestores: this.#callers };
    this.#volumes = WRITERS.map((writers, i) => new RacingVolume(roles, writers, diceOf(seed + i)));
    this.#running = Promise.all(this.#volumes.map((volume) => volume.run(this.#over.signal)));
    // whoever ends the load learns of a failure there
    this.#running.catch(() => {});
  }

  /** Commits that landed so far. */
  get commits(): number {
    return this.#volumes.reduce((sum, { landed }) => sum + landed.size, 0);
  }

  /** Answers of 503 so far. */
  get unavailable(): number {
    return this.#callers.disturbances.unavailable;
  }

  /** Lets `during` happen under the load; a violation ends the test at once. */
  async under(during: Promise<void>): Promise<void> {
    await Promise.race([during, this.#running]);
  }

  /**
   * Lets every writer finish its transaction.
   *
   * @throws For an answer that should not have been: other than success, a true conflict, or 503.
   */
  async end(): Promise<LoadOutcome> {
    this.#over.abort();
    await this.#running;
    const { broken, unavailable } = this.#callers.disturbances;
    assert.equal(broken, 0, "The server broke connections to its clients");
    return { commits: this.commits, unavailable };
  }

  /** Demands that every line is gapless and holds what was acknowledged, and nothing else. */
  async verify(): Promise<void> {
    const roles = { metastores: this.#callers, pagestores: this.#callers };
    for (const volume of this.#volumes) {
      await verifyLine(volume, roles);
      const lsns = [...volume.landed.keys()].sort((a, b) => a - b);
      const step = Math.max(Math.floor(lsns.length / LSNS_READ), 1);
      await verifyPages(volume, roles, lsns.filter((lsn) => (lsns.length - lsn) % step === 0));
    }
  }

  /** Closes its connections. */
  [Symbol.dispose](): void {
    this.#over.abort();
    this.#callers[Symbol.dispose]();
  }
}
