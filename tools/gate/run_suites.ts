/**
 * Runs every suite of tests, one after the other, and reports as it goes.
 *
 * @module
 */

import { addTallies, EMPTY_TALLY, type Tally } from "./junit.ts";
import { describeSuite } from "./report.ts";
import { runSuite, SUITES } from "./suites.ts";

/** Whether a skipped test is a failure: so it is in CI, where nothing may be skipped. */
export function isStrict(): boolean {
  return Deno.env.get("CI") === "true";
}

/** Runs all suites; the sum of what they came to. */
export async function runSuites(): Promise<Tally> {
  let total = EMPTY_TALLY;
  for (const suite of SUITES) {
    const result = await runSuite(suite, isStrict());
    write(describeSuite(suite.name, result));
    total = addTallies(total, result.tally);
  }
  return total;
}

/** Writes to standard output at once. */
export function write(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
