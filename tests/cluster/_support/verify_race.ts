/**
 * Whether all processes show what was acknowledged, and the same.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { VolumeId } from "../../../src/core/gid.ts";
import { FIRST_LSN, type Lsn, nextLsn, toLsn } from "../../../src/core/lsn.ts";
import { PageSet } from "../../../src/core/page_set.ts";
import type { Commit } from "../../../src/wire/messages.ts";
import { pageDefects } from "../../durability/server_ledger.ts";
import type { WireClient } from "../../harness/wire_client.ts";
import { isOf, PAGES_MAX, type RacingVolume, type Roles } from "./racing_volume.ts";

const EVERY_PAGE = Array.from({ length: PAGES_MAX }, (_, i) => i + 1);

/**
 * Demands, when all processes are up and nobody writes, that through every metastore the line is the
 * same, without gaps, and holds each acknowledged commit where it was told to be; and nothing else.
 */
export async function verifyLine(volume: RacingVolume, { metastores }: Roles): Promise<void> {
  const { vid, ledger, landed } = volume;
  assert.deepEqual(ledger.inDoubt, [], `${vid}: commits are still in doubt`);
  const lines = await Promise.all(metastores.each.map((to) => wholeLine(to, vid)));
  assert.deepEqual(ledger.checkLine(lines[0]), [], `${vid}: the line`);
  const shown = lines.map((line) => line.map(textOf).join("\n"));
  shown.forEach((text, i) => assert.equal(text, shown[0], `${vid}: metastore ${i} shows another`));
  for (const commit of lines[0]) {
    const attempt = landed.get(commit.snapshot.lsn);
    assert.ok(attempt && isOf(commit, attempt), `${vid}: LSN ${commit.snapshot.lsn} is another's`);
  }
  assert.equal(lines[0].length, landed.size, `${vid}: an acknowledged commit is gone`);
}

/**
 * Demands that every pagestore answers the right bytes at LSNs of a volume.
 *
 * @param lsns Which; each is read whole.
 */
export async function verifyPages(
  volume: RacingVolume,
  { pagestores }: Roles,
  lsns: Iterable<number>,
): Promise<void> {
  for (const lsn of lsns) {
    const expected = volume.ledger.pagesAt(lsn);
    const answers = await Promise.all(
      pagestores.each.map((to) => to.readPages(volume.vid, toLsn(lsn), PageSet.from(EVERY_PAGE))),
    );
    for (const answered of answers) {
      const defects = pageDefects(answered, expected, EVERY_PAGE);
      assert.deepEqual(defects, [], `${volume.vid} at LSN ${lsn}`);
    }
  }
}

/** The line from its beginning, through one process, up to the head that it shows. */
async function wholeLine(to: WireClient, vid: VolumeId): Promise<Commit[]> {
  const head = await to.snapshot(vid);
  const line: Commit[] = [];
  let start: Lsn = FIRST_LSN;
  while (line.length < head.lsn) {
    line.push(...await to.pullCommits(vid, start));
    start = nextLsn(toLsn(line.length));
  }
  return line;
}

function textOf({ snapshot, segments }: Commit): string {
  const uses = segments.map(({ sid, pageSet }) => `${sid}:${pageSet.toArray().join()}`);
  const { lsn, cid, pageCount, timestampMs } = snapshot;
  return [lsn, cid, pageCount, timestampMs, ...uses].join(" ");
}
