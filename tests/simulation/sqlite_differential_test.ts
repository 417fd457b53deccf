// SQLite on a volume does what SQLite does. GRAFT_SIMULATION_RUNS makes dozens of seeded runs thousands,
// GRAFT_SIMULATION_SEED replays one.

import type { EngineBuild } from "../../client/sqlite/engine/load_engine.ts";
import { SqliteDifferential } from "./sqlite_differential.ts";

const RUNS = Number(Deno.env.get("GRAFT_SIMULATION_RUNS") ?? 12);
const SEED = Deno.env.get("GRAFT_SIMULATION_SEED");
const STEPS = 120;

async function run(build: EngineBuild, seed: number): Promise<void> {
  const differential = new SqliteDifferential({ seed, steps: STEPS, build });
  try {
    await differential.run();
  } catch (error) {
    const command =
      `GRAFT_SIMULATION_SEED=${seed} deno test -A --filter ${build} tests/simulation/sqlite_differential_test.ts`;
    const log = SEED === undefined ? "" : `\n${differential.log.join("\n")}`;
    throw new Error(`Seed ${seed} failed. To replay it: ${command}${log}`, { cause: error });
  }
}

for (const build of ["jspi", "asyncify"] as const) {
  Deno.test(`${build}: a database on a volume agrees with SQLite's own`, async () => {
    if (SEED !== undefined) return await run(build, Number(SEED));
    for (let seed = 1; seed <= RUNS; seed++) await run(build, seed);
  });
}
