// 5,000 commits on one volume: reading stays right at every LSN, after a restart too.

import assert from "node:assert/strict";
import { startServer } from "../harness/server.ts";
import { endpointsOf } from "../wire/_support/server.ts";
import { range } from "../wire/_support/splinter.ts";
import { TestVolume, type Texts } from "../wire/_support/volume.ts";

const COMMITS = 5000;
const PAGES_MAX = 400;
const WRITES_AHEAD = 16;
const SAMPLES = 150;

/** A fixed sequence of numbers below a bound, so that a failure can be repeated. */
function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => (state = state * 48_271 % 0x7fffffff) % below;
}

/** One commit as the oracle knows it. */
interface Step {
  readonly pageCount: number;
  readonly pages: Texts;
}

/** What each commit does, from LSN 1 on: mostly a few pages, now and then a truncation. */
function plan(): Step[] {
  const random = sequence(20_260_501);
  return range(1, COMMITS).map((lsn) => {
    const pageCount = random(50) === 0 ? 50 + random(PAGES_MAX - 50) : PAGES_MAX;
    const indexes = range(1, random(4)).map(() => random(pageCount) + 1);
    return { pageCount, pages: Object.fromEntries(indexes.map((idx) => [idx, `${idx}@${lsn}`])) };
  });
}

/** The volume as it is after each of the wanted LSNs, by walking through the steps once. */
function statesAt(steps: readonly Step[], wanted: ReadonlySet<number>): Map<number, Texts> {
  const states = new Map<number, Texts>();
  let current: Texts = {};
  steps.forEach(({ pageCount, pages }, i) => {
    const kept = Object.entries(current).filter(([idx]) => Number(idx) <= pageCount);
    current = { ...Object.fromEntries(kept), ...pages };
    if (wanted.has(i + 1)) states.set(i + 1, current);
  });
  return states;
}

/** Commits all steps; writes run ahead of the commits, as those wait for one another. */
async function commitAll(volume: TestVolume, steps: readonly Step[]): Promise<void> {
  for (let start = 0; start < steps.length; start += WRITES_AHEAD) {
    const group = steps.slice(start, start + WRITES_AHEAD);
    const written = await Promise.all(
      group.map(({ pages }) =>
        Object.keys(pages).length === 0 ? Promise.resolve([]) : volume.write(pages)
      ),
    );
    for (const [i, { pageCount }] of group.entries()) {
      const base = start + i === 0 ? undefined : start + i;
      const { lsn } = await volume.commit({ base, pageCount, segments: written[i] });
      assert.equal(lsn, start + i + 1);
    }
  }
}

async function assertReads(volume: TestVolume, states: ReadonlyMap<number, Texts>): Promise<void> {
  for (const [lsn, state] of states) {
    assert.deepEqual(await volume.read(lsn, range(1, PAGES_MAX)), state, `at LSN ${lsn}`);
  }
}

/** Asserts that a pull from LSNs all over the line names what changed since, and nothing above. */
async function assertPulls(volume: TestVolume, steps: readonly Step[]): Promise<void> {
  for (const start of [1, 2, 64, 65, 1000, 2500, 4096, 4999, 5000]) {
    const { end, graft } = await volume.pullGraft(start);
    assert.equal(end, COMMITS);
    const pulled = new Set(graft);
    const changed = steps.slice(start - 1).flatMap(({ pages }) => Object.keys(pages).map(Number));
    assert.ok(changed.every((idx) => pulled.has(idx)), `pulled from LSN ${start}`);
    assert.ok(graft.every((idx) => idx >= 1 && idx <= PAGES_MAX));
  }
}

Deno.test({
  name: "5,000 commits on one volume read right at every LSN, after restarts too",
  timeout: 300_000,
  async fn() {
    const steps = plan();
    const random = sequence(7);
    const edges = [1, 2, 63, 64, 65, 999, 1000, 1001, 4095, 4096, 4097, COMMITS - 1, COMMITS];
    const states = statesAt(
      steps,
      new Set([...edges, ...range(1, SAMPLES).map(() => random(COMMITS) + 1)]),
    );
    await using server = await startServer();
    const volume = new TestVolume(endpointsOf(server.url));
    await commitAll(volume, steps);
    await assertReads(volume, states);
    await assertPulls(volume, steps);
    for (const end of [() => server.stop(), () => server.kill9()]) {
      await end();
      await server.start();
      await assertReads(volume, states);
      await assertPulls(volume, steps);
    }
    const commits = await volume.pullCommits(COMMITS - 99);
    assert.deepEqual(commits.map(({ snapshot }) => snapshot.lsn), range(COMMITS - 99, COMMITS));
    assert.equal((await volume.push(COMMITS, { 1: "goes on" })).lsn, COMMITS + 1);
  },
});
