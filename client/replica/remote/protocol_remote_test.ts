import assert from "node:assert/strict";
import { isGraftError } from "../../../src/core/errors.ts";
import { newGid } from "../../../src/core/gid.ts";
import { toPageCount } from "../../../src/core/page.ts";
import { PageSet } from "../../../src/core/page_set.ts";
import { startServer } from "../../../src/server/mod.ts";
import { ProtocolRemote } from "./protocol_remote.ts";
import type { RemoteCommit } from "./remote.ts";

const CLOCK = { now: () => 0, monotonic: () => 0 };
const RANDOM = { fraction: () => 0.5, fill: <T extends Uint8Array>(target: T) => target };
const TIMERS = { after: () => () => {}, sleep: () => Promise.resolve() };
const FIRST: Omit<RemoteCommit, "pageSet" | "pages" | "pageCount"> = {
  vid: newGid("volume", CLOCK, RANDOM),
  cid: newGid("client", CLOCK, RANDOM),
  base: undefined,
  requestId: new Uint8Array(16),
};

/** A first commit of one page. */
function commitOf(pageIdx: number, pageCount: number): RemoteCommit {
  async function* pages() {
    yield [pageIdx, new Uint8Array(4096).fill(pageIdx)] as const;
  }
  const pageSet = PageSet.from([pageIdx]);
  return { ...FIRST, pageSet, pages, pageCount: toPageCount(pageCount) };
}

Deno.test("over v0.1 a push lands once, and is not taken for another of the same client", async () => {
  const server = await startServer({ listen: ["127.0.0.1:0"], log: "memory:", objects: "memory:" });
  const remote = new ProtocolRemote({ url: server.urls[0], timers: TIMERS, options: {} });
  try {
    assert.equal((await remote.commit(commitOf(1, 2))).lsn, 1);
    assert.equal((await remote.commit(commitOf(1, 2))).lsn, 1, "its answer was lost");
    const isConflict = (error: unknown) => isGraftError(error, "conflict");
    await assert.rejects(remote.commit(commitOf(2, 2)), isConflict, "other pages");
    await assert.rejects(remote.commit(commitOf(1, 3)), isConflict, "another page count");
  } finally {
    remote.close();
    await server.close();
  }
});
