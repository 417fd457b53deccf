/**
 * One piece of work for all who want its result at the same time.
 *
 * @module
 */

import { GraftError } from "../core/errors.ts";

interface Flight<V> {
  readonly result: Promise<V>;
  readonly controller: AbortController;
  /** Callers that still wait. */
  waiting: number;
}

/**
 * Lets concurrent calls for one key share one promise. Nothing is kept afterwards: a failure is told to
 * those who waited for it, and the next call tries again.
 *
 * @example
 * ```ts
 * import { SingleFlight } from "./single_flight.ts";
 *
 * const flights = new SingleFlight<string, number>();
 * let calls = 0;
 * const work = () => Promise.resolve(++calls);
 * console.log(await Promise.all([flights.run("a", work), flights.run("a", work)])); // [ 1, 1 ]
 * ```
 */
export class SingleFlight<K, V> {
  readonly #flights = new Map<K, Flight<V>>();

  /** How many pieces of work are under way. */
  get size(): number {
    return this.#flights.size;
  }

  /** Whether work for `key` is under way. */
  has(key: K): boolean {
    return this.#flights.has(key);
  }

  /**
   * The result of the work under way for `key`, else of `work`.
   *
   * @param key What the result is of.
   * @param work Does it. Its signal fires when every caller has given up.
   * @param signal Gives up for this caller alone.
   * @throws {GraftError} `aborted` when `signal` fires first; else what `work` throws.
   */
  run(key: K, work: (signal: AbortSignal) => Promise<V>, signal?: AbortSignal): Promise<V> {
    if (signal?.aborted) return Promise.reject(abortedCall(signal));
    const flight = this.#flights.get(key) ?? this.#start(key, work);
    flight.waiting++;
    return signal === undefined ? flight.result : this.#wait(key, flight, signal);
  }

  #start(key: K, work: (signal: AbortSignal) => Promise<V>): Flight<V> {
    const controller = new AbortController();
    // started by a microtask: work that throws or ends at once must find its flight in the map
    const result = Promise.resolve().then(() => work(controller.signal));
    const flight: Flight<V> = { result, controller, waiting: 0 };
    this.#flights.set(key, flight);
    const forget = () => this.#forget(key, flight);
    result.then(forget, forget);
    return flight;
  }

  #wait(key: K, flight: Flight<V>, signal: AbortSignal): Promise<V> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        reject(abortedCall(signal));
        if (--flight.waiting > 0) return;
        // whoever comes next must not be given a result that is being given up
        this.#forget(key, flight);
        flight.controller.abort(signal.reason);
      };
      signal.addEventListener("abort", abort, { once: true });
      const settled = () => signal.removeEventListener("abort", abort);
      flight.result.then(resolve, reject).finally(settled);
    });
  }

  #forget(key: K, flight: Flight<V>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}

function abortedCall(signal: AbortSignal): GraftError {
  return new GraftError("aborted", "Cannot wait for the result: the caller gave up", {
    cause: signal.reason,
  });
}
