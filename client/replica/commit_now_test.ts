import assert from "node:assert/strict";
import { openReplica } from "../open_replica.ts";
import { ReplicaSnapshot } from "./snapshot.ts";

// nobody listens there: all of this is local
const NOWHERE = "http://127.0.0.1:9";

function changesOf(byte: number) {
  return { pages: new Map([[1, new Uint8Array(4096).fill(byte)]]), pageCount: 1 };
}

Deno.test("a commit in memory is there at once", async () => {
  await using replica = await openReplica(NOWHERE);
  const first = replica.snapshot();
  const second = replica.commitNow(first, changesOf(1));
  assert.ok(second instanceof ReplicaSnapshot);
  assert.deepEqual([replica.state, replica.status().localCommits], [1, 1]);
  assert.throws(() => first.peek(1), { code: "invalid" });
  const other = replica.snapshot();
  const third = await replica.commit(second, changesOf(2));
  assert.equal(third.peek(1)?.[0], 2);
  assert.equal(other.peek(1)?.[0], 1);
  assert.throws(() => replica.commitNow(other, changesOf(3)), { code: "conflict" });
  await assert.rejects(replica.commit(other, changesOf(3)), { code: "conflict" });
  // what failed leaves the snapshot to who had it
  assert.equal(other.peek(1)?.[0], 1);
  for (const snapshot of [other, third]) snapshot.close();
});

Deno.test("a commit to a storage that takes its time is a promise", async () => {
  const directory = await Deno.makeTempDir();
  {
    await using replica = await openReplica(NOWHERE, undefined, {
      storage: `sqlite:${directory}/replica.db`,
    });
    const committing = replica.commitNow(replica.snapshot(), changesOf(1));
    assert.ok(committing instanceof Promise);
    using snapshot = await committing;
    assert.equal(snapshot.peek(1)?.[0], 1);
  }
  await Deno.remove(directory, { recursive: true });
});

Deno.test("pages are copied unless they are given away", async () => {
  await using replica = await openReplica(NOWHERE);
  const changes = changesOf(1);
  using snapshot = await replica.commit(replica.snapshot(), changes);
  changes.pages.get(1)!.fill(9);
  assert.equal(snapshot.peek(1)?.[0], 1);
});
