// Writes that were begun, so that closing can wait for them.

import { GraftError } from "../core/errors.ts";
import { notAnswering } from "../objects/store_failure.ts";

/** Counts work until it is done; takes none after {@linkcode UnderWay.close}. */
export class UnderWay {
  readonly #name: string;
  #count = 0;
  #closed: PromiseWithResolvers<void> | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) {
      throw new GraftError("unavailable", `Cannot write to log "${this.#name}": it is closed`, {
        publicMessage: notAnswering("commit log"),
      });
    }
    this.#count++;
    try {
      return await work();
    } finally {
      this.#count--;
      this.#settle();
    }
  }

  /** Refuses all that comes from here on; resolves when what came before is done. */
  async close(): Promise<void> {
    this.#closed ??= Promise.withResolvers<void>();
    this.#settle();
    await this.#closed.promise;
  }

  #settle(): void {
    if (this.#count === 0) this.#closed?.resolve();
  }
}
