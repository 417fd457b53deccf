/**
 * Processes that die and come back while others work on.
 *
 * @module
 */

import type { Dice } from "../../durability/server_load.ts";
import { pause } from "../../harness/poll.ts";
import type { ServerProcess } from "../../harness/server.ts";

/** Between one process coming back and the next end, and how long one stays down. */
const UP_MS = [300, 1500] as const;
const DOWN_MS = [50, 800] as const;
/** How many are down at once, at most. */
const DOWN_MAX = 2;

/** How often processes were ended. */
export interface ChaosCounts {
  /** By kill -9. */
  kills: number;
  /** By SIGTERM. */
  stops: number;
}

/** Ends and restarts random processes, one or two at a time, until it is told to stop. */
export class Chaos {
  readonly #up: ServerProcess[];
  readonly #dice: Dice;
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;
  /** What it did so far. */
  readonly counts: ChaosCounts = { kills: 0, stops: 0 };

  /** Starts at once. */
  constructor(servers: readonly ServerProcess[], dice: Dice) {
    this.#up = [...servers];
    this.#dice = dice;
    const down = Math.min(DOWN_MAX, servers.length);
    this.#running = Promise.all(Array.from({ length: down }, () => this.#run()));
    // whoever ends it learns of a failure there
    this.#running.catch(() => {});
  }

  /** Resolves when it ended nothing more and every process is up again. */
  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Rejects when a process does not come back, or does not end as it should; never resolves before {@linkcode end}. */
  get running(): Promise<unknown> {
    return this.#running;
  }

  async #run(): Promise<void> {
    while (true) {
      await pause(this.#dice(...UP_MS));
      if (this.#stop.signal.aborted) return;
      await this.#endAndRestart();
    }
  }

  async #endAndRestart(): Promise<void> {
    const [server] = this.#up.splice(this.#dice(0, this.#up.length - 1), 1);
    if (this.#dice(1, 3) === 1) {
      this.counts.stops++;
      const code = await server.stop();
      if (code !== 0) throw new Error(`A server that was asked to end did so with ${code}`);
    } else {
      this.counts.kills++;
      await server.kill9();
    }
    await pause(this.#dice(...DOWN_MS));
    await server.start();
    this.#up.push(server);
  }
}
