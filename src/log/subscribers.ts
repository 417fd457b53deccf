/**
 * Those who follow a log.
 *
 * @module
 */

import type { Counter, Metrics } from "../core/metrics.ts";
import type { LogChange } from "./commit_log.ts";

/** Is told of changes. */
export type ChangeListener = (changes: readonly LogChange[]) => void;
/** Is told that changes may have been missed. */
export type ResyncListener = () => void;

interface Entry {
  readonly listener: ChangeListener;
  readonly onResync: ResyncListener | undefined;
}

/** Tells listeners of changes, one after the other and at once. */
export class Subscribers {
  readonly #listeners = new Set<Entry>();
  readonly #report: (error: unknown) => void;
  readonly #errors: Counter;

  /** `report` takes what a listener throws. */
  constructor(metrics: Metrics, report: (error: unknown) => void) {
    this.#report = report;
    this.#errors = metrics.counter("log_listener_errors", "Listeners of the log that threw");
  }

  /** Adds a listener; the returned function takes it away again. */
  subscribe(listener: ChangeListener, onResync?: ResyncListener): () => void {
    const entry = { listener, onResync };
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  /** Tells everyone. A listener that throws is reported, and the others are told all the same. */
  publish(changes: readonly LogChange[]): void {
    this.#tell(({ listener }) => listener(changes));
  }

  /** Tells everyone that changes may have been missed, of any volume. */
  resync(): void {
    this.#tell(({ onResync }) => onResync?.());
  }

  #tell(tell: (entry: Entry) => void): void {
    for (const entry of [...this.#listeners]) {
      try {
        tell(entry);
      } catch (error) {
        this.#errors.add();
        this.#report(error);
      }
    }
  }
}
