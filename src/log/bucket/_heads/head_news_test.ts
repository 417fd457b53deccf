import { deepEqual } from "node:assert/strict";
import type { VolumeId } from "../../../core/gid.ts";
import { FIRST_LSN } from "../../../core/lsn.ts";
import { noMetrics } from "../../../core/metrics.ts";
import { newVolume, recordAfter } from "../../_testing.ts";
import type { LogChange } from "../../commit_log.ts";
import { Subscribers } from "../../subscribers.ts";
import { RecordRun } from "../_format/record_run.ts";
import { DOUBTS_MAX } from "../_limits.ts";
import { HeadNews } from "./head_news.ts";
import type { HeadState } from "./head_state.ts";
import { KnownHeads } from "./known_heads.ts";

function openNews() {
  const subscribers = new Subscribers(noMetrics, () => {});
  const heard: LogChange[] = [];
  subscribers.subscribe((changes) => heard.push(...changes));
  return { news: new HeadNews(new KnownHeads(), subscribers), heard };
}

/** A volume's first commit; or its tombstone, which bears the record before it. */
function state(vid: VolumeId, deleted = false): HeadState {
  const record = recordAfter(vid, { head: undefined, version: null });
  const run = RecordRun.carrying(record, [], { from: record.lsn, bytesMax: 0 });
  return {
    newest: { lsn: record.lsn, deleted, record, run },
    knownAt: { wallMs: 0, monotonicMs: 0 },
  };
}

Deno.test("of a volume that is not known, a deletion is told, and a commit is not", () => {
  const { news, heard } = openNews();
  const [live, deleted] = [newVolume(), newVolume()];
  news.read(live, state(live));
  const read = state(deleted, true);
  news.read(deleted, read);
  news.read(deleted, read);
  deepEqual(heard, [{ vid: deleted, lsn: FIRST_LSN, record: undefined, deleted: true }]);
});

Deno.test("of too many objects in doubt the oldest is forgotten", () => {
  const { news, heard } = openNews();
  const vids = Array.from({ length: DOUBTS_MAX + 2 }, newVolume);
  for (const vid of vids.slice(0, 2)) news.doubt(vid, FIRST_LSN);
  // again in doubt, so not the oldest any more
  news.doubt(vids[0], FIRST_LSN);
  for (const vid of vids.slice(2, -1)) news.doubt(vid, FIRST_LSN);
  for (const vid of vids.slice(0, 3)) news.read(vid, state(vid));
  deepEqual(heard.map(({ vid }) => vid), [vids[0], vids[2]]);
});
