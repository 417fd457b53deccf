import assert from "node:assert/strict";
import { isGraftError } from "../../core/errors.ts";
import { toLsn } from "../../core/lsn.ts";
import { settle, TestSubscriptions } from "./_testing.ts";

Deno.test("Subscriptions tell a commit at once, with what it changed", async () => {
  const test = new TestSubscriptions();
  const vid = test.newVolume(3);
  const reader = await test.open([vid]);
  assert.deepEqual(await reader.lsns(), [3]);
  test.commit(vid, [1, 4], 8);
  const [event] = await reader.events();
  assert.ok(event.type === "commit");
  assert.deepEqual([event.lsn, event.since, ...event.graft ?? []], [4, 3, 1, 4, 9, 10]);
  assert.equal(test.lookUps, 1);
});

Deno.test("Subscriptions look up what another process committed", async () => {
  const test = new TestSubscriptions();
  const vid = test.newVolume(3);
  const reader = await test.open([vid]);
  await reader.lsns();
  test.commitElsewhere(vid, 7, true);
  const [event] = await reader.events();
  assert.ok(event.type === "commit");
  assert.deepEqual([event.lsn, event.since, ...event.graft ?? []], [7, 3, 3]);
  // what is old is no news
  test.tell({ vid, lsn: toLsn(6), record: undefined, deleted: false });
  await settle();
  assert.equal(test.lookUps, 2);
});

Deno.test("Subscriptions read heads every two seconds where the log announces nothing", async () => {
  const test = new TestSubscriptions(false);
  const [followed, other] = [test.newVolume(1), test.newVolume(1)];
  const reader = await test.open([followed]);
  await reader.lsns();
  test.commitElsewhere(followed, 2);
  test.commitElsewhere(other, 2);
  const before = test.lookUps;
  await test.tick();
  assert.deepEqual(await reader.lsns(), [2]);
  assert.equal(test.lookUps, before + 1);
  await reader.cancel();
  await test.tick();
  assert.deepEqual([test.lookUps, test.timers.waiting], [before + 1, 0]);
});

Deno.test("Subscriptions read no heads where the log announces everything", async () => {
  const test = new TestSubscriptions();
  const reader = await test.open([test.newVolume(1)]);
  await reader.lsns();
  await test.tick(5);
  assert.equal(test.lookUps, 1);
});

Deno.test("Subscriptions try again what they could not look up", async () => {
  const test = new TestSubscriptions();
  const vid = test.newVolume(1);
  const reader = await test.open([vid]);
  await reader.lsns();
  test.failing = 2;
  test.commitElsewhere(vid, 2, true);
  await settle();
  await test.tick(2);
  assert.deepEqual(await reader.lsns(), [2]);
  await test.tick();
  assert.equal(test.lookUps, 4);
});

Deno.test("Subscriptions refuse a reader while the log does not answer", async () => {
  const test = new TestSubscriptions();
  const vid = test.newVolume(1);
  test.failing = 1;
  await assert.rejects(test.open([vid]), (error) => isGraftError(error, "unavailable"));
  assert.deepEqual(await (await test.open([vid])).lsns(), [1]);
});

Deno.test("Subscriptions look at everything when the log may have missed something", async () => {
  const test = new TestSubscriptions();
  const vids = [test.newVolume(1), test.newVolume(1)];
  const reader = await test.open(vids);
  await reader.lsns();
  test.commitElsewhere(vids[1], 5);
  test.resync();
  assert.deepEqual(await reader.lsns(), [5]);
});

Deno.test("Subscriptions go on where an id says, and tell the deleted", async () => {
  const test = new TestSubscriptions();
  const [a, b, c] = [test.newVolume(1), test.newVolume(1), test.newVolume(1)];
  const first = await test.open([a, b, c]);
  await first.lsns();
  await first.cancel();
  test.commit(b);
  test.heads.set(c, "deleted");
  const second = await test.open([c, b, a, b], first.id);
  assert.deepEqual((await second.lsns()).sort(), [2, "deleted"]);
  await second.cancel();
  test.heads.set(a, 9);
  const unknown = await test.open([a], first.id);
  assert.deepEqual(await unknown.lsns(), ["resync", 9]);
});

Deno.test("a reader of one volume goes on after any event that it was told at once", async () => {
  const test = new TestSubscriptions();
  const vid = test.newVolume(1);
  const [reader, slower] = [await test.open([vid]), await test.open([vid])];
  for (const each of [reader, slower]) assert.deepEqual(await each.lsns(), [1]);
  const next = reader.lsns();
  test.commit(vid);
  assert.deepEqual(await next, [2]);
  const last = reader.lsns();
  test.commit(vid);
  assert.deepEqual([await last, await slower.lsns()], [[3], [2, 3]]);
  assert.equal(reader.id, slower.id);
  test.commit(vid);
  const again = await test.open([vid], reader.id);
  assert.deepEqual(await again.lsns(), [4]);
});

Deno.test("a slow reader is told the newest of each volume, and no more is kept for it", async () => {
  const test = new TestSubscriptions();
  const [busy, calm] = [test.newVolume(1), test.newVolume(1)];
  const reader = await test.open([busy, calm]);
  await reader.lsns();
  test.commit(calm);
  for (let i = 0; i < 64; i++) test.commit(busy);
  // the newest may be among what was dropped, or come after it
  test.commit(calm);
  const events = await reader.events();
  const told = events.map((event) =>
    event.type === "commit" && [event.vid, event.lsn, event.graft]
  );
  assert.deepEqual(new Set(told), new Set([[busy, 65, undefined], [calm, 3, undefined]]));
  test.commit(busy, [7]);
  const [next] = await reader.events();
  assert.ok(next.type === "commit" && next.since === 65 && next.graft?.has(7));
});

Deno.test("a reader hears a sign of life every 14 seconds, unless it is slow", async () => {
  const test = new TestSubscriptions();
  const vid = test.newVolume(1);
  const reader = await test.open([vid]);
  await reader.lsns();
  const next = reader.text();
  await test.tick(7);
  assert.equal(await next, ":\n\n");
  await test.tick(14);
  test.commit(vid);
  assert.deepEqual(await reader.lsns(), [2]);
});

Deno.test("a reader's events end with its token", async () => {
  const test = new TestSubscriptions();
  const reader = await test.open([test.newVolume(1)], undefined, test.clock.nowMs + 1000);
  await reader.lsns();
  const beat = reader.text();
  await test.tick(7);
  assert.equal(await beat, ":\n\n");
  test.clock.nowMs += 1000;
  await test.tick(7);
  assert.equal(await reader.text(), undefined);
});

Deno.test("Subscriptions end their readers when they are closed, and take no more", async () => {
  const test = new TestSubscriptions();
  const vid = test.newVolume(1);
  const reader = await test.open([vid]);
  await reader.lsns();
  const end = reader.text();
  test.subscriptions.close();
  assert.equal(await end, undefined);
  assert.equal(test.timers.waiting, 0);
  await assert.rejects(test.open([vid]), (error) => isGraftError(error, "unavailable"));
});
