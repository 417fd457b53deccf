/**
 * Tests that run in a browser, by name.
 *
 * @module
 */

import { serveCalls } from "./calls.ts";

/** The tests of one module. */
export class BrowserTests {
  readonly #tests = new Map<string, () => Promise<void>>();

  /** Registers a test, as `Deno.test` does. */
  readonly test = (name: string, run: () => Promise<void>): void => {
    if (this.#tests.has(name)) throw new Error(`Two tests are called "${name}"`);
    this.#tests.set(name, run);
  };

  /** The names of all tests. */
  get names(): readonly string[] {
    return [...this.#tests.keys()];
  }

  /** Runs them one by one as they are called for. */
  serve(): void {
    serveCalls(async (name) => {
      const run = this.#tests.get(name);
      if (run === undefined) throw new Error(`No test is called "${name}"`);
      await run();
    });
  }
}
