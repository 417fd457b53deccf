import assert from "node:assert/strict";
import { pause } from "../harness/poll.ts";
import { type ServerProcess, startServer } from "../harness/server.ts";
import { type Dice, diceOf, LoadedVolume } from "./server_load.ts";

const ROUNDS = Number(Deno.env.get("GRAFT_KILL_ROUNDS") ?? 20);
const SEED = Number(Deno.env.get("GRAFT_KILL_SEED") ?? Date.now() % 1_000_000);
/** How many clients write to each volume at once. */
const WRITERS = [1, 1, 1, 3];
/** Load before a kill, at least and at most. */
const LOAD_MS = [200, 1200] as const;

/** Puts `volumes` under load, kills the server somewhere in it, and starts it again. */
async function killUnderLoad(server: ServerProcess, volumes: LoadedVolume[], dice: Dice) {
  const load = Promise.all(volumes.map((volume) => volume.run(server.url)));
  // a violation ends the load early, and must not wait for the kill to be seen
  await Promise.race([pause(dice(...LOAD_MS)), load]);
  await server.kill9();
  await load;
  await server.start();
}

Deno.test(`no acknowledged commit or page is lost over ${ROUNDS} kills under load`, async () => {
  const dice = diceOf(SEED);
  await using server = await startServer();
  const old = WRITERS.map((writers, i) => new LoadedVolume(writers, diceOf(SEED + i)));
  const volumes = [...old];
  for (let round = 1; round <= ROUNDS; round++) {
    const before = volumes.map(({ ledger }) => ledger.head);
    // one volume a round begins its life under the kill
    const fresh = new LoadedVolume(1, diceOf(SEED + volumes.length));
    volumes.push(fresh);
    try {
      await killUnderLoad(server, [...old, fresh], dice);
      for (const volume of volumes) await volume.verify(server.url);
    } catch (cause) {
      throw new Error(`Round ${round} of seed ${SEED} failed`, { cause });
    }
    assert.ok(volumes.some(({ ledger }, i) => ledger.head > (before[i] ?? 0)), "Nothing landed");
  }
});
