// Hundreds of seeded runs; GRAFT_SIMULATION_RUNS makes them thousands, GRAFT_SIMULATION_SEED replays one.

import { ReplicaSimulation } from "./replica_simulation.ts";

const RUNS = Number(Deno.env.get("GRAFT_SIMULATION_RUNS") ?? 200);
const SEED = Deno.env.get("GRAFT_SIMULATION_SEED");
const STEPS = 120;

async function run(seed: number): Promise<void> {
  const simulation = new ReplicaSimulation({ seed, steps: STEPS });
  try {
    await simulation.run();
  } catch (error) {
    const command =
      `GRAFT_SIMULATION_SEED=${seed} deno test -A tests/simulation/replica_simulation_test.ts`;
    const log = SEED === undefined ? "" : `\n${simulation.log.join("\n")}`;
    throw new Error(`Seed ${seed} failed. To replay it: ${command}${log}`, { cause: error });
  }
}

Deno.test("replicas show what they may, whatever fails, and come to be in sync", async () => {
  if (SEED !== undefined) return await run(Number(SEED));
  for (let seed = 1; seed <= RUNS; seed++) await run(seed);
});
