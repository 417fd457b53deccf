import assert from "node:assert/strict";
import { systemClock } from "../../src/core/clock.ts";
import { newGid } from "../../src/core/gid.ts";
import { FIRST_LSN, toLsn } from "../../src/core/lsn.ts";
import { PageSet } from "../../src/core/page_set.ts";
import { systemRandom } from "../../src/core/random.ts";
import { startServer } from "../harness/server.ts";
import { WireClient, WireFailure } from "../harness/wire_client.ts";
import { type Attempt, pageDefects } from "./server_ledger.ts";
import { pagesOf, sendCommit } from "./server_load.ts";

const DISK_MEGABYTES = 24;
const RESERVE_BYTES = 6 * 1024 * 1024;
const PAGES = 256;
const TRIES_MAX = 5000;

/** Mounts a small disk over its first argument, for this process and its children, and goes on. */
const ON_SMALL_DISK = [
  "unshare",
  "--user",
  "--map-root-user",
  "--mount",
  "sh",
  "-c",
  `mount -t tmpfs -o size=${DISK_MEGABYTES}m none "$0" && exec "$@"`,
];

const vid = newGid("volume", systemClock, systemRandom);
const cid = newGid("client", systemClock, systemRandom);
const pageIdxs = Array.from({ length: PAGES }, (_, i) => i + 1);

function attemptOn(base: number): Attempt {
  return { id: base + 1, vid, cid, base, pageCount: PAGES, pageIdxs, segments: [] };
}

/** Writes and commits until the server refuses; the head then, and the refusal. */
async function fill(client: WireClient): Promise<{ head: number; refusal: WireFailure }> {
  for (let head = 0; head < TRIES_MAX; head++) {
    try {
      const attempt = attemptOn(head);
      attempt.segments = await client.writePages(vid, pagesOf(attempt));
      await sendCommit(client, attempt);
    } catch (error) {
      if (error instanceof WireFailure) return { head, refusal: error };
      throw error;
    }
  }
  throw new Error("Cannot fill the disk: it takes everything");
}

/** Takes every byte that is left. */
async function takeTheRest(path: string): Promise<void> {
  using file = await Deno.open(path, { create: true, write: true });
  const block = new Uint8Array(4096);
  try {
    while (true) await file.write(block);
  } catch (error) {
    assert.match(String(error), /os error 28/);
  }
}

/** Commits without pages until the server refuses, and returns the refusal. */
async function commitUntilRefused(
  client: WireClient,
  from: number,
): Promise<{ head: number; refusal: WireFailure }> {
  for (let head = from; head < from + TRIES_MAX; head++) {
    try {
      await sendCommit(client, attemptOn(head));
    } catch (error) {
      if (error instanceof WireFailure) return { head, refusal: error };
      throw error;
    }
  }
  throw new Error("Cannot fill the disk with commits: it takes everything");
}

async function assertReadable(client: WireClient, lsn: number, attempt: number): Promise<void> {
  const expected = new Map(pageIdxs.map((pageIdx) => [pageIdx, attempt]));
  const answered = await client.readPages(vid, toLsn(lsn), PageSet.from(pageIdxs));
  assert.deepEqual(pageDefects(answered, expected, pageIdxs), []);
}

Deno.test("a full disk gives 503, reads go on, and with room the server works again", async () => {
  const data = await Deno.makeTempDir({ prefix: "graft-full-disk-" });
  try {
    await using server = await startServer({ data, prefix: [...ON_SMALL_DISK, data] });
    using client = new WireClient(server.url);
    const disk = `/proc/${server.pid}/root${data}`;
    await Deno.writeFile(`${disk}/reserve`, new Uint8Array(RESERVE_BYTES));

    const full = await fill(client);
    assert.ok(full.head > 1, "The disk was full before anything was written");
    assert.deepEqual([full.refusal.status, full.refusal.wireCode], [503, 101]);
    await assertReadable(client, full.head, full.head);

    await takeTheRest(`${disk}/rest`);
    const stuck = await commitUntilRefused(client, full.head);
    assert.deepEqual([stuck.refusal.status, stuck.refusal.wireCode], [503, 101]);
    assert.equal((await client.snapshot(vid)).lsn, stuck.head);
    await assertReadable(client, full.head, full.head);
    await assertReadable(client, FIRST_LSN, 1);

    await Deno.remove(`${disk}/reserve`);
    await Deno.remove(`${disk}/rest`);
    const again = attemptOn(stuck.head);
    again.segments = await client.writePages(vid, pagesOf(again));
    assert.equal((await sendCommit(client, again)).lsn, stuck.head + 1);
    await assertReadable(client, stuck.head + 1, again.id);
    await assertReadable(client, FIRST_LSN, 1);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});
