/**
 * Connections that are lent to one user at a time.
 *
 * @module
 */

import { GraftError } from "../../src/core/errors.ts";
import type { Timers } from "../../src/core/timers.ts";
import { type Deferred, deferred } from "../replica/deferred.ts";
import type { Connection } from "./connection.ts";
import type { PageStatistics } from "./page_log.ts";

/** What a {@linkcode ConnectionPool} is made of. */
export interface ConnectionPoolParts {
  /** Opens one more. */
  readonly open: () => Promise<Connection>;
  /** Called before one is lent again: what to wait for. */
  readonly prepare?: (connection: Connection) => Promise<void> | undefined;
  /** How many there may be. */
  readonly connectionsMax: number;
  /** How long to wait for one. */
  readonly waitMs: number;
  /** Waiting. */
  readonly timers: Timers;
}

/** Connections to one source. The one that was used last is lent first: its cache is warm. */
export class ConnectionPool {
  readonly #parts: ConnectionPoolParts;
  readonly #all = new Set<Connection>();
  readonly #idle: Connection[] = [];
  readonly #waiting: Deferred<Connection>[] = [];
  #opening = 0;
  #isClosed = false;

  /** None is open yet. */
  constructor(parts: ConnectionPoolParts) {
    this.#parts = parts;
  }

  /** What all of them read. */
  get statistics(): PageStatistics {
    const sum = { read: 0, fetched: 0, prefetched: 0, prefetchedUnused: 0 };
    for (const { pages } of this.#all) {
      const { read, fetched, prefetched, prefetchedUnused } = pages.statistics;
      sum.read += read;
      sum.fetched += fetched;
      sum.prefetched += prefetched;
      sum.prefetchedUnused += prefetchedUnused;
    }
    return sum;
  }

  /** Lends a connection to a function. */
  async use<T>(run: (connection: Connection) => T | Promise<T>): Promise<T> {
    const connection = await this.take();
    try {
      return await run(connection);
    } finally {
      this.giveBack(connection);
    }
  }

  /**
   * Lends a connection, which has to be given back; at once where one is idle.
   *
   * @throws {GraftError} `unavailable` when all have been in use for too long.
   */
  take(): Connection | Promise<Connection> {
    if (this.#isClosed) throw closed();
    const idle = this.#idle.pop();
    if (idle !== undefined) return this.#prepare(idle);
    const mayOpen = this.#all.size + this.#opening < this.#parts.connectionsMax;
    return mayOpen ? this.#open() : this.#wait().then((connection) => this.#prepare(connection));
  }

  /** Takes a connection back. */
  giveBack(connection: Connection): void {
    const next = this.#waiting.shift();
    if (next !== undefined) return next.resolve(connection);
    this.#idle.push(connection);
  }

  /** Lets go of snapshots that nobody reads. */
  dropStale(): void {
    for (const connection of this.#idle) connection.dropStale();
  }

  /**
   * Closes all. The calls of those that are in use end, and are waited for as long as one waits for a connection; one
   * that nobody gives back goes with the program. One that is being opened is closed as soon as it is open.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const connection of this.#all) {
      if (!this.#idle.includes(connection)) connection.interrupt();
    }
    while (this.#all.size > 0) {
      const connection = this.#idle.pop() ?? await this.#wait().catch(() => undefined);
      if (connection === undefined) return;
      this.#all.delete(connection);
      await connection.close();
    }
  }

  #prepare(connection: Connection): Connection | Promise<Connection> {
    const preparing = this.#parts.prepare?.(connection);
    return preparing === undefined ? connection : this.#prepareLater(connection, preparing);
  }

  async #prepareLater(connection: Connection, preparing: Promise<void>): Promise<Connection> {
    try {
      await preparing;
      return connection;
    } catch (error) {
      this.giveBack(connection);
      throw error;
    }
  }

  async #open(): Promise<Connection> {
    this.#opening++;
    try {
      const connection = await this.#parts.open();
      if (this.#isClosed) {
        await connection.close();
        throw closed();
      }
      this.#all.add(connection);
      return connection;
    } finally {
      this.#opening--;
      this.#openForNext();
    }
  }

  /** Where one could not be opened there is room for one more, which those that wait would not hear of. */
  #openForNext(): void {
    if (this.#isClosed || this.#all.size + this.#opening >= this.#parts.connectionsMax) return;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#open().then(next.resolve, next.reject);
  }

  async #wait(): Promise<Connection> {
    const { timers, waitMs } = this.#parts;
    const waiting = deferred<Connection>();
    this.#waiting.push(waiting);
    const cancel = timers.after(waitMs, () => {
      const at = this.#waiting.indexOf(waiting);
      // one is being opened for it
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      waiting.reject(
        new GraftError(
          "unavailable",
          "Cannot get a connection: all have been in use for too long",
          {
            hint: "End iterations and transactions, or allow more connections (connectionsMax)",
          },
        ),
      );
    });
    try {
      return await waiting.promise;
    } finally {
      cancel();
    }
  }
}

function closed(): GraftError {
  return new GraftError("aborted", "Cannot use the database: it is closed");
}
