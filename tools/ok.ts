/**
 * `deno task ok`: the whole gate. Every check, then every test once. It ends with
 * `N passed, N failed` over the tests; a check that fails counts as one failed.
 *
 * @module
 */

import { runDeno } from "./gate/command.ts";
import { addTallies, closingLine, EMPTY_TALLY, type Tally } from "./gate/junit.ts";
import { describeStage } from "./gate/report.ts";
import { runSuites, write } from "./gate/run_suites.ts";
import { STAGES } from "./gate/stages.ts";

async function runStages(): Promise<Tally> {
  let failed = 0;
  for (const stage of STAGES) {
    const result = await runDeno(stage.args, { env: { NO_COLOR: "1" } });
    write(describeStage(stage.name, result));
    if (result.code !== 0) failed++;
  }
  return { ...EMPTY_TALLY, failed };
}

if (import.meta.main) {
  const tally = addTallies(await runStages(), await runSuites());
  write(`${closingLine(tally)}\n`);
  Deno.exit(tally.failed > 0 ? 1 : 0);
}
