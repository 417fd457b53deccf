/**
 * `deno task test`: all tests that this machine can run. It ends with `N passed, N failed`.
 *
 * @module
 */

import { closingLine } from "./gate/junit.ts";
import { runSuites, write } from "./gate/run_suites.ts";

if (import.meta.main) {
  const tally = await runSuites();
  write(`${closingLine(tally)}\n`);
  Deno.exit(tally.failed > 0 ? 1 : 0);
}
