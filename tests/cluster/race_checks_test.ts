// What the race would say of processes that do not keep their promises.

import assert from "node:assert/strict";
import { diceOf } from "../durability/server_load.ts";
import { PATH } from "../wire/_support/messages.ts";
import { openServer } from "../wire/_support/server.ts";
import { Callers } from "./_support/callers.ts";
import { type Answer, type Lie, LyingProxy, refusal } from "./_support/lying_proxy.ts";
import { RacingVolume } from "./_support/racing_volume.ts";
import { verifyLine, verifyPages } from "./_support/verify_race.ts";

const RACE_MS = 400;
const PATIENCE_MS = 20_000;

/** Tells the truth for a while, and from the sixth answer on the lie. */
const later = (lie: (answer: Answer) => Answer): Lie => (answer, count) =>
  count > 5 ? lie(answer) : answer;

/** Gives every answer a second time, so that each is one behind. */
function oneBehind(): Lie {
  let last: Answer | undefined;
  return (answer) => {
    const older = last ?? answer;
    last = answer;
    return older;
  };
}

/** Changes a byte that lies in the client's id of a line's first commit, and in an answer's first page. */
function withByteChanged({ status, body }: Answer): Answer {
  const changed = body.slice();
  changed[35] ^= 1;
  return { status, body: changed };
}

/** Races a volume through a server of which half of the calls go through a proxy that lies. */
async function raceWith(
  { path, lie, writers = 3 }: { path: string; lie: Lie; writers?: number },
  use: (volume: RacingVolume, roles: { metastores: Callers; pagestores: Callers }) => Promise<void>,
): Promise<void> {
  await using server = await openServer();
  const { metastore: url } = server.to;
  await using liar = new LyingProxy(url, path, lie);
  const dice = diceOf(7);
  using metastores = new Callers([{ url }, liar], dice);
  using pagestores = new Callers([{ url }, liar], dice);
  const roles = { metastores, pagestores };
  await use(new RacingVolume(roles, writers, dice), roles);
}

const LIES: readonly { name: string; path: string; lie: Lie; writers?: number; said: RegExp }[] = [
  {
    name: "a conflict on the head",
    path: PATH.commit,
    lie: later(() => refusal(409, 3)),
    writers: 1,
    said: /refused on base \d+, which is the head|and its commit landed|nobody else writes/,
  },
  {
    name: "an old snapshot",
    path: PATH.snapshot,
    lie: oneBehind(),
    said: /after LSN \d+ was acknowledged is at \d+/,
  },
  {
    name: "an empty pull",
    path: PATH.pullCommits,
    lie: () => refusal(404, 2),
    said: /refused on base \d+, which is the head/,
  },
  {
    name: "a missing LSN",
    path: PATH.readPages,
    lie: () => refusal(404, 2),
    said: /A lie/,
  },
  {
    name: "other pages",
    path: PATH.readPages,
    lie: withByteChanged,
    said: /page \d+ should be of attempt \d+/,
  },
  {
    name: "a refusal that nobody expects",
    path: PATH.writePages,
    lie: later(() => refusal(400, 1)),
    said: /An answer was 400/,
  },
  {
    name: "a failure that is not 503",
    path: PATH.snapshot,
    lie: later(() => refusal(500, 100)),
    said: /An answer was 500/,
  },
];

for (const { name, said, ...how } of LIES) {
  Deno.test(`a race ends at ${name}`, async () => {
    await raceWith(how, async (volume) => {
      await assert.rejects(volume.run(AbortSignal.timeout(PATIENCE_MS)), (error) => {
        assert.match(String(error), said);
        return true;
      });
    });
  });
}

Deno.test("a race over a server that tells the truth ends well", async () => {
  const truth: Lie = (answer) => answer;
  await raceWith({ path: PATH.commit, lie: truth }, async (volume, roles) => {
    await volume.run(AbortSignal.timeout(RACE_MS));
    assert.ok(volume.landed.size > 0 && volume.conflicts > 0);
    await verifyLine(volume, roles);
    await verifyPages(volume, roles, volume.landed.keys());
  });
});

Deno.test("a metastore that shows another line, and a pagestore that lost a page, are found", async () => {
  let lies = false;
  const lie: Lie = (answer) => lies ? withByteChanged(answer) : answer;
  for (const path of [PATH.pullCommits, PATH.readPages]) {
    lies = false;
    await raceWith({ path, lie }, async (volume, roles) => {
      await volume.run(AbortSignal.timeout(RACE_MS));
      lies = true;
      const verified = path === PATH.pullCommits
        ? verifyLine(volume, roles)
        : verifyPages(volume, roles, volume.landed.keys());
      await assert.rejects(verified);
    });
  }
});
