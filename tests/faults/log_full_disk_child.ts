// Fills a small disk with commits. Runs inside the namespace that log_full_disk_test.ts makes, with the
// directory as its argument, and prints what it saw as one line of JSON.

import { isGraftError } from "../../src/core/errors.ts";
import type { VolumeId } from "../../src/core/gid.ts";
import { newVolume, recordsOf, sparseSet, tryCommit, use } from "../../src/log/_testing.ts";
import type { CommitLog } from "../../src/log/commit_log.ts";
import { openLog } from "../../src/log/open_log.ts";

const VOLUMES = 4;
const RECORD_BYTES = 20_000;

interface Line {
  readonly vid: VolumeId;
  /** The segment of each acknowledged commit. */
  readonly acknowledged: string[];
}

/** Commits to each volume at once until all of them were refused, and tells with which code. */
async function fill(log: CommitLog, lines: readonly Line[]): Promise<string[]> {
  const codes = new Set<string>();
  await Promise.all(lines.map(async (line) => {
    while (await commits(log, line, codes));
  }));
  return [...codes];
}

async function commits(log: CommitLog, line: Line, codes: Set<string>): Promise<boolean> {
  try {
    const { record } = await tryCommit(log, line.vid, { segments: [use(sparseSet(RECORD_BYTES))] });
    line.acknowledged.push(record.segments[0].sid);
    return true;
  } catch (error) {
    codes.add(isGraftError(error) ? error.code : String(error));
    return false;
  }
}

/** Whether every line is exactly what was acknowledged. */
async function isWhole(log: CommitLog, lines: readonly Line[]): Promise<boolean> {
  for (const { vid, acknowledged } of lines) {
    const { head } = await log.headFromStore(vid);
    const records = await recordsOf(log, vid, 1, Number.MAX_SAFE_INTEGER);
    const sids = records.map(({ segments }) => segments[0].sid);
    if (head?.lsn !== records.length || sids.join() !== acknowledged.join()) return false;
  }
  return true;
}

const [directory] = Deno.args;
const ballast = `${directory}/ballast`;
const address = `kv:${directory}/log.kv`;
Deno.writeFileSync(ballast, new Uint8Array(1024 * 1024));

let log = await openLog(address);
const lines = Array.from({ length: VOLUMES }, () => ({ vid: newVolume(), acknowledged: [] }));
const refused = await fill(log, lines);
const count = () => lines.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
const filled = count();
const healthyWhileFull = log.healthy;
const refusedAgain = await fill(log, lines);
const wholeWhileFull = await isWhole(log, lines);

Deno.removeSync(ballast);
const codes = new Set<string>();
const landsWithRoom = await Promise.all(lines.map((line) => commits(log, line, codes)));
const wholeWithRoom = await isWhole(log, lines);
const healthyWithRoom = log.healthy;
await fill(log, lines);
await log.close();

log = await openLog(address);
const wholeWhenOpenedAgain = await isWhole(log, lines);
await log.close();

console.log(JSON.stringify({
  filled: filled > 20,
  filledMore: count() > filled + VOLUMES,
  refused,
  refusedAgain,
  healthyWhileFull,
  wholeWhileFull,
  landsWithRoom,
  wholeWithRoom,
  healthyWithRoom,
  wholeWhenOpenedAgain,
}));
