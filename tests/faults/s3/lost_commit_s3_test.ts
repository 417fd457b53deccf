// Commits of which nobody knows what became, with their log in a bucket.

import assert from "node:assert/strict";
import { systemClock } from "../../../src/core/clock.ts";
import { newGid } from "../../../src/core/gid.ts";
import { FIRST_LSN } from "../../../src/core/lsn.ts";
import { systemRandom } from "../../../src/core/random.ts";
import type { Attempt } from "../../durability/server_ledger.ts";
import { pagesOf, sendCommit } from "../../durability/server_load.ts";
import { type Fault, HttpProxy } from "../../harness/http_proxy.ts";
import { S3_KINDS } from "../../harness/programs/s3.ts";
import { WireClient, WireFailure } from "../../harness/wire_client.ts";
import { openServedStore } from "./_support/served_store.ts";

/** What every request for a volume's records meets, and whether its record is there nevertheless. */
const FAULTS: readonly { name: string; fault: Fault; lands: boolean }[] = [
  { name: "lost answers", fault: { kind: "lose" }, lands: true },
  { name: "cut requests", fault: { kind: "cut" }, lands: false },
  { name: "answers of 503", fault: { kind: "answer", status: 503 }, lands: false },
];

function newAttempt(base: number, of?: Attempt): Attempt {
  return {
    id: base + 1,
    vid: of?.vid ?? newGid("volume", systemClock, systemRandom),
    cid: newGid("client", systemClock, systemRandom),
    base,
    pageCount: 10,
    pageIdxs: [1, 2, 3],
    segments: [],
  };
}

/** Writes the pages of an attempt and commits them. */
async function transact(to: WireClient, attempt: Attempt): Promise<number> {
  attempt.segments = await to.writePages(attempt.vid, pagesOf(attempt));
  return (await sendCommit(to, attempt)).lsn;
}

function status(expected: number): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof WireFailure, String(error));
    assert.equal(error.status, expected, error.message);
    return true;
  };
}

for (const kind of S3_KINDS) {
  Deno.test(`${kind}: a commit in doubt is 503, lands once when it is sent again, and is no conflict`, async () => {
    await using served = await openServedStore(
      { kind, log: "bucket" },
      (target, opened) => opened.use(new HttpProxy(target)),
    );
    const { proxy, server } = served;
    using client = new WireClient(server.url);
    const commits = FAULTS.map(({ name, fault, lands }) => ({
      name,
      fault,
      lands,
      first: newAttempt(0),
    }));
    for (const { first } of commits) assert.equal(await transact(client, first), 1);
    proxy.fault = ({ path }) =>
      commits.find(({ first }) => path.includes(`/log/log/${first.vid}/`))?.fault;
    const doubtful = commits.map((commit) => ({ ...commit, attempt: newAttempt(1, commit.first) }));
    await Promise.all(
      doubtful.map(({ attempt }) => assert.rejects(transact(client, attempt), status(503))),
    );
    proxy.fault = () => undefined;
    for (const { name, lands, attempt } of doubtful) {
      const line = await client.pullCommits(attempt.vid, FIRST_LSN);
      assert.equal(line.length, lands ? 2 : 1, name);
      assert.equal((await sendCommit(client, attempt)).lsn, 2, name);
      assert.equal((await client.pullCommits(attempt.vid, FIRST_LSN)).length, 2, name);
      // another's is one, and the line says why
      await assert.rejects(transact(client, newAttempt(1, attempt)), status(409));
      assert.equal((await client.snapshot(attempt.vid)).cid, attempt.cid, name);
    }
  });
}
