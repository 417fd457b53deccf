import assert from "node:assert/strict";
import { Feed } from "./feed.ts";

const feedOfSums = () => new Feed<number>((older, newer) => older + newer);

Deno.test("each reader is told what comes after it began", async () => {
  const feed = feedOfSums();
  feed.tell(1);
  const [a, b] = [feed.read(), feed.read()];
  feed.tell(2);
  assert.deepEqual([(await a.next()).value, (await b.next()).value], [2, 2]);
});

Deno.test("what a reader has not taken becomes one value", async () => {
  const feed = feedOfSums();
  const reader = feed.read();
  for (const value of [1, 2, 3]) feed.tell(value);
  assert.equal((await reader.next()).value, 6);
  const next = reader.next();
  feed.tell(4);
  assert.equal((await next).value, 4);
});

Deno.test("a feed that ends lets its readers take what waits", async () => {
  const feed = feedOfSums();
  const [full, empty] = [feed.read(), feed.read()];
  const waiting = empty.next();
  feed.tell(1);
  assert.equal((await waiting).value, 1);
  const last = empty.next();
  feed.end();
  assert.equal((await last).done, true);
  assert.equal((await full.next()).value, 1);
  assert.equal((await full.next()).done, true);
});

Deno.test("leaving the loop ends a reader", async () => {
  const feed = feedOfSums();
  const reader = feed.read();
  feed.tell(1);
  for await (const value of reader) {
    assert.equal(value, 1);
    break;
  }
  feed.tell(2);
  assert.equal((await reader.next()).done, true);
});

Deno.test("values that are asked for at once come one after the other", async () => {
  const feed = feedOfSums();
  const reader = feed.read();
  const both = Promise.all([reader.next(), reader.next()]);
  feed.tell(1);
  await Promise.resolve();
  await Promise.resolve();
  feed.tell(2);
  assert.deepEqual((await both).map(({ value }) => value), [1, 2]);
});
