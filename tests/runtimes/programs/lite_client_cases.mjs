/** What the lite client does, whatever it runs in. */

import assert from "node:assert/strict";
import { page, rejectsWith, withSilentServer } from "./support.mjs";

const newClient = ({ graft, url, tokens }, token = tokens.all) =>
  new graft.GraftClient(url, { token });

/** A volume with pages 1 and 2 at LSN 1. */
async function newVolume(context) {
  const client = newClient(context);
  const vid = client.newVolumeId();
  const { lsn } = await client.push(vid, undefined, [[1, page(1)], [2, page(2)]], 2);
  assert.equal(lsn, 1);
  return { client, vid };
}

export const LITE_CLIENT_CASES = {
  async "its WebAssembly computes"({ graft }) {
    const set = graft.PageSet.from([7, 3, 70_000]);
    assert.deepEqual([...set.toArray()], [3, 7, 70_000]);
    assert.ok(graft.PageSet.decode(set.bytes).equals(set));
    await rejectsWith("invalid", () => graft.PageSet.decode(Uint8Array.of(255, 255, 255)));
  },

  "a client id stands for a name"({ graft }) {
    assert.equal(graft.clientIdFromName("a name"), "Qi81Dp4C52TNeHy2JDWh8f");
  },

  async "pages that are written and committed are read back"(context) {
    const client = newClient(context);
    const vid = client.newVolumeId();
    const segments = await client.write(vid, [[1, page(1)], [4, page(4)]]);
    const commit = { vid, base: undefined, pageCount: 5, segments };
    assert.equal((await client.commit(commit)).lsn, 1);

    const snapshot = await newClient(context).snapshot(vid);
    assert.deepEqual([snapshot.lsn, snapshot.pageCount], [1, 5]);
    const read = await newClient(context).read(vid, 1, [1, 2, 4]);
    assert.deepEqual([...read.indexes()], [1, 4]);
    assert.deepEqual(read.page(4), page(4));
  },

  async "a transaction of many requests lands whole"(context) {
    const client = newClient(context);
    const vid = client.newVolumeId();
    // above the bounds of one request, both to write and to read
    const indexes = Array.from({ length: 4200 }, (_, at) => at + 1);
    const { lsn } = await client.push(vid, undefined, indexes.map((idx) => [idx, page(idx)]), 4200);
    const read = await client.read(vid, lsn, indexes);
    assert.equal(read.size, 4200);
    for (const idx of [1, 1024, 1025, 4096, 4097, 4200]) {
      assert.deepEqual(read.page(idx), page(idx));
    }
  },

  async "what changed is pulled"(context) {
    const { client, vid } = await newVolume(context);
    await client.push(vid, 1, [[2, page(9)]], 2);
    const { snapshot, graft } = await client.pullGraft(vid, { range: { start: 2 } });
    assert.equal(snapshot.lsn, 2);
    assert.deepEqual([...graft.toArray()], [2]);
    assert.equal((await client.pullCommits(vid, { range: { start: 1 } })).length, 2);
  },

  async "a commit on an old snapshot is a conflict"(context) {
    const { client, vid } = await newVolume(context);
    await newClient(context).push(vid, 1, [[1, page(8)]], 2);
    await rejectsWith("conflict", () => client.push(vid, 1, [[1, page(9)]], 2));
    assert.deepEqual((await client.read(vid, 2, [1])).page(1), page(8));
  },

  async "a volume that is not there is missing"(context) {
    const client = newClient(context);
    await rejectsWith("missing", () => client.snapshot(client.newVolumeId()));
  },

  async "a token that does not verify is refused, and so is none"(context) {
    const { graft, url, tokens } = context;
    const { vid } = await newVolume(context);
    await rejectsWith("unauthorized", () => newClient(context, tokens.foreign).snapshot(vid));
    await rejectsWith("unauthorized", () => new graft.GraftClient(url).snapshot(vid));
  },

  async "a token for reading reads, and may not write"(context) {
    const { vid } = await newVolume(context);
    const reader = newClient(context, context.tokens.readOnly);
    assert.deepEqual((await reader.read(vid, 1, [2])).page(2), page(2));
    await rejectsWith("forbidden", () => reader.push(vid, 1, [[1, page(3)]], 2));
  },

  async "a signal that has fired ends a call before it is sent"(context) {
    const client = newClient(context);
    const signal = AbortSignal.abort();
    await rejectsWith("aborted", () => client.snapshot(client.newVolumeId(), { signal }));
  },

  async "a signal ends a call that waits for its answer"({ graft }) {
    await withSilentServer(async ({ url, reached }) => {
      const client = new graft.GraftClient(url);
      const caller = new AbortController();
      const call = client.snapshot(client.newVolumeId(), { signal: caller.signal });
      await Promise.all([
        rejectsWith("aborted", () => call),
        reached.then(() => caller.abort(new Error("enough"))),
      ]);
    });
  },

  async "a call without an answer ends at its deadline"({ graft }) {
    await withSilentServer(async ({ url }) => {
      const client = new graft.GraftClient(url, { deadlineMs: 200 });
      await rejectsWith("unavailable", () => client.snapshot(client.newVolumeId()));
    });
  },
};
