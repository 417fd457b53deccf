import assert from "node:assert/strict";
import { pause, until } from "../harness/poll.ts";
import { startServer } from "../harness/server.ts";
import { Device } from "./_official_client.ts";
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

/** A `fetch` whose pushes wait while it is shut. */
class Gate {
  #open: PromiseWithResolvers<void> | undefined;

  readonly fetch: typeof fetch = async (input, init) => {
    if (init?.method === "POST") await this.#open?.promise;
    return await fetch(input, init);
  };

  shut(): void {
    this.#open = Promise.withResolvers();
  }

  open(): void {
    this.#open?.resolve();
    this.#open = undefined;
  }
}

Deno.test("ours runs again on what theirs committed first, and neither loses a step", async () => {
  await using server = await startServer();
  const gate = new Gate();
  await using shared = await SharedDatabase.create({
    url: server.url,
    createdBy: "theirs",
    schema: "create table steps (id integer primary key, total integer, who text);" +
      "create index by_who on steps (who); insert into steps values (1, 0, 'nobody')",
    options: { fetch: gate.fetch },
  });
  const { ours, theirs } = shared;
  for (let round = 1; round <= 2; round++) {
    gate.shut();
    for (let i = 0; i < 3; i++) {
      // what it writes depends on what is there
      await ours.transaction(async (tx) => {
        const { total } = await tx.first<{ total: number }>("select * from steps") ?? { total: 0 };
        await tx.execute("update steps set total = ?, who = 'ours'", [total + 1]);
      });
    }
    await theirs.sql("update steps set total = total + 10, who = 'theirs'");
    const { remoteLsn } = await theirs.untilPushed();
    gate.open();
    await shared.toTheirs();
    assert.ok(Number(ours.status().lsn) > remoteLsn);
    assert.deepEqual(await shared.rows("select total, who from steps"), [[13 * round, "ours"]]);
    assert.deepEqual(await shared.rows("select count(*) from steps where who > 'ours'"), [[0]]);
    await shared.assertSame();
  }
});

Deno.test("theirs opens the copy that ours keeps of what it cannot push", async () => {
  await using server = await startServer();
  const gate = new Gate();
  await using shared = await SharedDatabase.create({
    url: server.url,
    createdBy: "theirs",
    schema: SCHEMA,
    options: { fetch: gate.fetch, onConflict: "wait" },
  });
  const { ours, theirs } = shared;
  gate.shut();
  await ours.execute("insert into entries (body) values ('ours')");
  await theirs.sql("insert into entries (body) values ('theirs')");
  await theirs.untilPushed();
  gate.open();
  await assert.rejects(ours.sync(), { code: "conflict" });
  const copy = await ours.replica.keepBoth();
  await shared.toOurs();
  assert.deepEqual(await shared.rows(ALL), [["theirs"]]);
  await using other = await Device.start({ metastore: server.url, volume: copy });
  await other.untilAt(1);
  assert.deepEqual(await other.sql(ALL), [["ours"]]);
  await other.assertIntegrity();
  await shared.assertSame();
});
