import assert from "node:assert/strict";
import { pause, until } from "../harness/poll.ts";
import { startServer } from "../harness/server.ts";
import type { Device } from "./_official_client.ts";
import { SharedDatabase } from "./_shared_database.ts";

const SCHEMA = "create table entries (id integer primary key, author text, body text unique);" +
  "create index by_author on entries (author)";
const ALL = "select body from entries order by body";

/** What a device writes alone: it is pushed, or dropped by the reset that the official client asks for. */
async function pushOrReset(theirs: Device, body: string): Promise<boolean> {
  await theirs.sql("insert into entries (author, body) values ('theirs', ?)", [body]);
  let looks = 0;
  return await until("the push or its refusal", async () => {
    const { localLsn, syncedLsn } = await theirs.position();
    if (localLsn === syncedLsn) return { isPushed: true };
    // asking for the status keeps it from pulling
    if (++looks % 12 !== 0 || await theirs.state() === "Ok") return;
    await theirs.pragma("graft_reset");
    return { isPushed: false };
  }).then(({ isPushed }) => isPushed);
}

Deno.test("both write at once and resolve their conflicts; what was pushed stays", async () => {
  await using server = await startServer();
  await using shared = await SharedDatabase.create({
    url: server.url,
    createdBy: "ours",
    schema: SCHEMA,
  });
  const { ours, theirs } = shared;
  const kept: string[] = [];
  const outcomes = { pushed: 0, dropped: 0 };
  let isDone = false;
  const byTheirs = async (): Promise<void> => {
    // which of the two happens is chance; each does in time
    for (let i = 0; i < 5 || (i < 20 && Math.min(outcomes.pushed, outcomes.dropped) === 0); i++) {
      const isPushed = await pushOrReset(theirs, `theirs ${i}`);
      if (isPushed) kept.push(`theirs ${i}`);
      outcomes[isPushed ? "pushed" : "dropped"]++;
    }
    isDone = true;
  };
  const byOurs = async (): Promise<void> => {
    for (let i = 0; !isDone; i++) {
      await ours.transaction(async (tx) => {
        await tx.execute("insert into entries (author, body) values ('ours', ?)", [`ours ${i}`]);
        await tx.execute("update entries set author = author || '+' where id % 5 = ?", [i % 5]);
      }, { sync: i % 2 === 0 });
      kept.push(`ours ${i}`);
      await pause(i % 3 * 300);
    }
    await ours.sync();
  };
  await Promise.all([byTheirs(), byOurs()]);
  assert.ok(outcomes.pushed > 0 && outcomes.dropped > 0, JSON.stringify(outcomes));
  await shared.toTheirs();
  assert.deepEqual(await shared.rows(ALL), kept.toSorted().map((body) => [body]));
  await shared.assertSame();
});

Deno.test("ours runs again on what theirs committed first", async () => {
  await using server = await startServer();
  const open = Promise.withResolvers<void>();
  let isHeld = false;
  /** Offline while `isHeld`, for pushes only. */
  const holding: typeof fetch = async (input, init) => {
    if (isHeld && init?.method === "POST") await open.promise;
    return await fetch(input, init);
  };
  await using shared = await SharedDatabase.create({
    url: server.url,
    createdBy: "theirs",
    schema: SCHEMA,
    options: { fetch: holding },
  });
  const { ours, theirs } = shared;
  await ours.query(ALL);
  isHeld = true;
  for (let i = 0; i < 3; i++) {
    // the key that it takes depends on what is there
    await ours.execute("insert into entries (author, body) values ('ours', ?)", [`ours ${i}`]);
  }
  await theirs.sql("insert into entries (author, body) values ('theirs', 'theirs came first')");
  const { remoteLsn } = await theirs.untilPushed();
  isHeld = false;
  open.resolve();
  await ours.sync();
  assert.ok(Number(ours.status().lsn) > remoteLsn);
  await shared.toTheirs();
  assert.deepEqual(await shared.rows("select id, body from entries order by id"), [
    [1, "theirs came first"],
    [2, "ours 0"],
    [3, "ours 1"],
    [4, "ours 2"],
  ]);
  await shared.assertSame();
});
