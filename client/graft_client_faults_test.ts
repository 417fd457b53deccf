// The client against servers that fail, over real connections.

import assert from "node:assert/strict";
import { clientIdFromName, parseGid } from "../src/core/gid.ts";
import { toLsn } from "../src/core/lsn.ts";
import { toPageCount } from "../src/core/page.ts";
import { PageSet } from "../src/core/page_set.ts";
import * as wire from "../src/wire/messages.ts";
import {
  answer,
  cutAnswer,
  errorOf,
  FakeTime,
  refusal,
  script,
  type Seen,
  withServer,
} from "./_testing.ts";
import { GraftClient } from "./graft_client.ts";

const vid = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
const snapshot = {
  vid,
  cid: clientIdFromName("test"),
  lsn: toLsn(7),
  checkpointLsn: toLsn(1),
  pageCount: toPageCount(9),
  timestampMs: 1_700_000_000_123,
};
const page = (value: number) => new Uint8Array(4096).fill(value);
const answerSnapshot = () => answer(wire.encodeSnapshotResponse(snapshot));

Deno.test("a connection that breaks in the middle of an answer, then a 503: the third attempt counts", async () => {
  const seen: Seen[] = [];
  const busy = () => refusal("unavailable", "Cannot answer: overload");
  await withServer(script(seen, cutAnswer, busy, answerSnapshot), async (url) => {
    assert.deepEqual(await new GraftClient(url).snapshot(vid), snapshot);
  });
  assert.equal(seen.length, 3);
});

Deno.test("nothing listens: unavailable once the deadline is over", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const client = new GraftClient(`http://127.0.0.1:${port}`, { deadlineMs: 300 });
  const error = await errorOf(client.snapshot(vid));
  assert.equal(error.code, "unavailable");
  assert.match(
    error.message,
    /^Cannot read the snapshot of volume "Gon.*": (the connection to|no answer from) http:\/\/127\.0\.0\.1:\d+ .*\(/,
  );
});

Deno.test("a server that hangs: unavailable once the deadline is over", async () => {
  const hung = Promise.withResolvers<void>();
  await withServer(() => hung.promise.then(answerSnapshot), async (url) => {
    const client = new GraftClient(url, { deadlineMs: 200, attemptMs: 100 });
    const error = await errorOf(client.snapshot(vid));
    assert.equal(error.code, "unavailable");
    assert.match(
      error.message,
      /no answer from http:\/\/127\.0\.0\.1:\d+ within \d+ ms \(\d attempts?\)$/,
    );
    hung.resolve();
  });
});

Deno.test("every call gives up when its signal fires", async () => {
  const hung = Promise.withResolvers<void>();
  await withServer(() => hung.promise.then(answerSnapshot), async (url) => {
    const client = new GraftClient(url);
    const caller = new AbortController();
    const { signal } = caller;
    const calls = [
      client.snapshot(vid, { signal }),
      client.read(vid, 7, PageSet.range(1, 3000), { signal }),
      client.write(vid, [[1, page(1)]], { signal }),
      client.commit({ vid, base: 1, pageCount: 1, segments: [] }, { signal }),
      client.push(vid, 1, [[1, page(1)]], 1, { signal }),
      client.pullGraft(vid, { signal }),
      client.pullCommits(vid, { signal }),
    ].map(errorOf);
    setTimeout(() => caller.abort(), 50);
    for (const error of await Promise.all(calls)) assert.equal(error.code, "aborted");
    hung.resolve();
  });
});

Deno.test("an answer that cannot be read names the call", async () => {
  await withServer(() => answer(Uint8Array.of(0x0a, 0xff)), async (url) => {
    const error = await errorOf(new GraftClient(url).snapshot(vid));
    assert.equal(error.code, "internal");
    assert.match(error.message, /^Cannot read the snapshot of volume .*: the answer is malformed$/);
  });
});

Deno.test("without a server a call fails within seconds, and names the address", async () => {
  const time = new FakeTime();
  const client = new GraftClient("http://127.0.0.1:1", { clock: time, timers: time });
  const error = await errorOf(client.snapshot(vid));
  assert.match(error.message, /the connection to http:\/\/127\.0\.0\.1:1 failed/);
  assert.match(error.hint ?? "", /whether a server is running there/);
  assert.ok(time.slept.reduce((sum, ms) => sum + ms, 0) <= 10_000);
});
