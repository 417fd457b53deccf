/**
 * Calls to any process of a role: where one does not answer, the same call goes to another.
 *
 * @module
 */

import { type Dice, isBrokenConnection, Violation } from "../../durability/server_load.ts";
import { pause } from "../../harness/poll.ts";
import { WireClient, WireFailure } from "../../harness/wire_client.ts";

/** Whatever is down comes back sooner than this; a call that nobody answers is a failure. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = [20, 200] as const;

/** What calls met. */
export interface Disturbances {
  /** Answers of 503. */
  unavailable: number;
  /** Connections that were refused, so that nothing happened. */
  refused: number;
  /** Connections that broke, so that nobody knows what happened. */
  broken: number;
}

/** Clients of every process of one role. */
export class Callers {
  readonly #clients: readonly WireClient[];
  readonly #dice: Dice;
  /** What calls met so far. */
  readonly disturbances: Disturbances = { unavailable: 0, refused: 0, broken: 0 };

  /** `servers` may be killed and restarted in the meantime. */
  constructor(servers: readonly { readonly url: string }[], dice: Dice) {
    this.#clients = servers.map(({ url }) => new WireClient(url));
    this.#dice = dice;
  }

  /** One client for each process, to ask each of them. */
  get each(): readonly WireClient[] {
    return this.#clients;
  }

  /**
   * Makes a call to a process picked at random and, as long as the outcome is unknown, the same call
   * again to another.
   *
   * @throws What the call throws for an answer that decides; {@linkcode Violation} where that is neither
   * a success nor one of the refusals that a client expects.
   */
  async anywhere<T>(call: (to: WireClient) => Promise<T>): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS;
    for (let at = this.#dice(0, this.#clients.length - 1);; at++) {
      try {
        return await within(deadline, call(this.#clients[at % this.#clients.length]));
      } catch (error) {
        if (!this.#isDisturbance(error)) throw error;
        if (performance.now() > deadline) throw new Violation("Nobody answers", { cause: error });
      }
      await pause(this.#dice(...PAUSE_MS));
    }
  }

  /** Closes all connections. */
  [Symbol.dispose](): void {
    for (const client of this.#clients) client[Symbol.dispose]();
  }

  #isDisturbance(error: unknown): boolean {
    if (isBrokenConnection(error)) {
      this.disturbances[isRefusedConnection(error) ? "refused" : "broken"]++;
      return true;
    }
    if (!(error instanceof WireFailure)) return false;
    if (error.status === 503) {
      this.disturbances.unavailable++;
      return true;
    }
    if (error.status === 404 || error.status === 409) return false;
    throw new Violation(`An answer was ${error.status}: ${error.message}`, { cause: error });
  }
}

/** Whether a call failed because nobody listened. */
export function isRefusedConnection(error: unknown): boolean {
  return error instanceof TypeError && /connection refused/i.test(String(error.cause ?? error));
}

/** A process that takes a call and never answers is a failure, not a hang. */
async function within<T>(deadline: number, answer: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Violation("A call was never answered")),
    deadline - performance.now() + PATIENCE_MS,
  );
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
