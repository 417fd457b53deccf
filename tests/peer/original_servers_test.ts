import assert from "node:assert/strict";
import { GraftClient, openReplica, type Replica } from "../../client/mod.ts";
import { openDatabase } from "../../client/sqlite/mod.ts";
import { OriginalServers } from "../harness/programs/original_servers.ts";
import { until } from "../harness/poll.ts";

const page = (fill: number) => new Uint8Array(4096).fill(fill);

async function show(replica: Replica): Promise<number[]> {
  using snapshot = replica.snapshot();
  const pages = await snapshot.readMany(
    Array.from({ length: snapshot.pageCount }, (_, i) => i + 1),
  );
  return [...pages.values()].map((bytes) => bytes[0]);
}

Deno.test("our clients work against the original's servers", async (t) => {
  await using servers = await OriginalServers.start();
  const { url, metastoreUrl } = servers;
  const open = (vid?: string, storage = "memory:") =>
    openReplica(url, vid, { metastoreUrl, storage });

  await t.step("a replica commits, pushes, and another one follows", async () => {
    await using writer = await open();
    await writer.transaction((tx) => {
      for (let i = 1; i <= 400; i++) tx.write(i, page(i % 200));
    });
    await writer.sync();
    await using reader = await open(writer.vid);
    assert.deepEqual(await show(reader), await show(writer));
    await writer.transaction((tx) => {
      tx.write(2, page(77));
      tx.truncate(3);
    });
    await writer.sync();
    await until(
      "the reader's pull",
      () => Promise.resolve(reader.status().lsn === writer.status().lsn),
    );
    assert.deepEqual(await show(reader), [1, 77, 3]);
  });

  /** Two replicas that both added to page 1: who came first, and who was left in conflict. */
  const race = async () => {
    const one = await open();
    await one.transaction((tx) => tx.write(1, page(10)));
    await one.sync();
    const two = await open(one.vid);
    await show(two);
    const add = (replica: Replica, n: number) =>
      replica.transaction(async (tx) => tx.write(1, page((await tx.read(1))[0] + n)));
    await Promise.all([add(one, 1), add(two, 2)]);
    const ends = await Promise.allSettled([one.sync(), two.sync()]);
    const [winner, loser] = ends[0].status === "fulfilled" ? [one, two] : [two, one];
    assert.equal(loser.status().state, "conflict");
    return { winner, loser, theirs: await show(winner), ours: await show(loser) };
  };

  await t.step("what lost a conflict runs again", async () => {
    const { winner, loser } = await race();
    await using _ = winner;
    await using replica = loser;
    await replica.replay();
    await replica.sync();
    assert.deepEqual(await show(replica), [13]);
  });

  await t.step("what lost a conflict becomes another volume", async () => {
    const { winner, loser, theirs, ours } = await race();
    await using _ = winner;
    await using replica = loser;
    await using kept = await open(await replica.keepBoth());
    await replica.sync();
    assert.deepEqual([await show(replica), await show(kept)], [theirs, ours]);
  });

  await t.step("what lost a conflict is given up", async () => {
    const { winner, loser, theirs } = await race();
    await using _ = winner;
    await using replica = loser;
    await replica.reset();
    await replica.sync();
    assert.deepEqual([await show(replica), replica.status().state], [theirs, "synced"]);
  });

  await t.step("a replica in a file goes on where it was", async () => {
    const file = await Deno.makeTempFile({ suffix: ".db" });
    try {
      const first = await open(undefined, `sqlite:${file}`);
      await first.transaction((tx) => tx.write(1, page(5)));
      await first.close();
      await using again = await open(first.vid, `sqlite:${file}`);
      await again.sync();
      assert.deepEqual([await show(again), again.status().state], [[5], "synced"]);
    } finally {
      for (const suffix of ["", "-wal", "-shm", "-lock"]) {
        await Deno.remove(`${file}${suffix}`).catch(() => {});
      }
    }
  });

  await t.step("the lite client reads, pushes and hears of conflicts", async () => {
    const client = new GraftClient(url, { metastoreUrl });
    const vid = client.newVolumeId();
    const first = await client.push(vid, undefined, [[1, page(1)], [9, page(9)]], 9);
    const read = await client.read(vid, first.lsn, [1, 5, 9]);
    assert.deepEqual([1, 5, 9].map((i) => read.page(i)?.[0]), [1, undefined, 9]);
    const other = new GraftClient(url, { metastoreUrl });
    await other.push(vid, first.lsn, [[2, page(2)]], 9);
    await assert.rejects(client.push(vid, first.lsn, [[3, page(3)]], 9), { code: "conflict" });
  });

  await t.step("a SQLite database goes from one client to another", async () => {
    await using db = await openDatabase(url, undefined, { metastoreUrl });
    await db.script("create table t (id integer primary key, name text)");
    await db.execute("insert into t (name) values ('one'), ('two')");
    await db.sync();
    await using elsewhere = await openDatabase(url, db.vid, { metastoreUrl });
    assert.deepEqual(await elsewhere.values("select name from t"), [["one"], ["two"]]);
    await elsewhere.execute("delete from t where id = 1");
    await elsewhere.sync();
    await db.sync();
    assert.deepEqual(await db.values("select name from t"), [["two"]]);
    assert.deepEqual(await db.values("pragma integrity_check"), [["ok"]]);
  });
});
