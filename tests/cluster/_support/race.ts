/**
 * Many writers and much dying over one log.
 *
 * @module
 */

import { type Dice, diceOf } from "../../durability/server_load.ts";
import { pause } from "../../harness/poll.ts";
import { Callers, type Disturbances } from "./callers.ts";
import { Chaos } from "./chaos.ts";
import type { Processes } from "./cluster.ts";
import { RacingVolume, type Roles } from "./racing_volume.ts";
import { verifyLine, verifyPages } from "./verify_race.ts";

/** Writers of each volume: 64 over 14. Three volumes are contended, the others have one writer each. */
const WRITERS = [24, 18, 11, ...new Array<number>(11).fill(1)];
/** How many LSNs are read whole at the end, through every pagestore. */
const LSNS_READ_MAX = 600;

/** What a race came to. */
export interface RaceOutcome {
  /** Commits that landed. */
  readonly commits: number;
  /** One line for people. */
  readonly summary: string;
}

/**
 * Lets 64 writers race while processes die, and verifies everything at the end.
 *
 * @param seconds How long writers write.
 * @param seed What dice fall by.
 * @throws For everything that should not be.
 */
export async function race(
  processes: Processes,
  seconds: number,
  seed: number,
): Promise<RaceOutcome> {
  const dice = diceOf(seed);
  using metastores = new Callers(processes.metastores, dice);
  using pagestores = new Callers(processes.pagestores, dice);
  const roles: Roles = { metastores, pagestores };
  const volumes = WRITERS.map((writers, i) => new RacingVolume(roles, writers, diceOf(seed + i)));
  const servers = new Set([...processes.metastores, ...processes.pagestores]);
  const chaos = new Chaos([...servers], dice);
  await raceUnder(chaos, volumes, seconds);
  for (const volume of volumes) await verifyLine(volume, roles);
  const read = await readSample(volumes, roles, dice);
  return outcomeOf(volumes, roles, chaos, `${read} LSNs read (seed ${seed})`);
}

function outcomeOf(
  volumes: readonly RacingVolume[],
  { metastores, pagestores }: Roles,
  { counts }: Chaos,
  rest: string,
): RaceOutcome {
  const commits = sum(volumes.map(({ landed }) => landed.size));
  const conflicts = sum(volumes.map((volume) => volume.conflicts));
  const doubts = sum(volumes.map((volume) => volume.doubts));
  const met = [metastores, pagestores].map(({ disturbances }) => disturbances);
  const count = (what: keyof Disturbances) => sum(met.map((disturbances) => disturbances[what]));
  return {
    commits,
    summary: `${commits} commits, ${conflicts} conflicts, ${doubts} commits in doubt, ` +
      `${count("unavailable")} answers of 503, ${count("broken")} broken connections, ` +
      `${count("refused")} refused, ${counts.kills} kills, ${counts.stops} stops, ${rest}`,
  };
}

async function raceUnder(
  chaos: Chaos,
  volumes: readonly RacingVolume[],
  seconds: number,
): Promise<void> {
  const over = new AbortController();
  const writing = volumes.map((volume) => volume.run(over.signal));
  try {
    // a violation ends the race early
    await Promise.race([pause(seconds * 1000), Promise.all(writing), chaos.running]);
  } finally {
    over.abort();
    await Promise.allSettled([chaos.end(), ...writing]);
  }
  await Promise.all([chaos.end(), ...writing]);
}

/** Reads every LSN that landed, or where they are many a random part of each volume's. */
async function readSample(
  volumes: readonly RacingVolume[],
  roles: Roles,
  dice: Dice,
): Promise<number> {
  const all = sum(volumes.map(({ landed }) => landed.size));
  let read = 0;
  for (const volume of volumes) {
    const lsns = [...volume.landed.keys()].filter((lsn) =>
      lsn === volume.landed.size || dice(1, all) <= LSNS_READ_MAX
    );
    await verifyPages(volume, roles, lsns);
    read += lsns.length;
  }
  return read;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
