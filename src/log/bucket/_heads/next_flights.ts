// Reads that callers share, without one of them being told what was true before it asked.

interface Flight<V> {
  readonly current: Promise<V>;
  /** What begins when the current one ends, once somebody waits for it. */
  next: Promise<V> | undefined;
}

/**
 * Lets concurrent calls for one key share work that began after each of them came: who comes while work is
 * under way shares the next.
 */
export class NextFlights<K, V> {
  readonly #flights = new Map<K, Flight<V>>();

  /** The result of work that begins from here on. */
  run(key: K, work: () => Promise<V>): Promise<V> {
    const flight = this.#flights.get(key);
    if (flight === undefined) return this.#start(key, work);
    const start = () => this.#start(key, work);
    return flight.next ??= flight.current.then(start, start);
  }

  #start(key: K, work: () => Promise<V>): Promise<V> {
    const flight: Flight<V> = { current: work(), next: undefined };
    this.#flights.set(key, flight);
    const forget = () => {
      if (flight.next === undefined) this.#flights.delete(key);
    };
    flight.current.then(forget, forget);
    return flight.current;
  }
}
