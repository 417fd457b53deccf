import { equal } from "node:assert/strict";
import { toLsn } from "../../../core/lsn.ts";
import { headOf, newVolume, recordAfter } from "../../_testing.ts";
import { RecordRun } from "../_format/record_run.ts";
import type { HeadState } from "./head_state.ts";
import { KnownHeads } from "./known_heads.ts";

const vid = newVolume();

function state(lsn: number, monotonicMs = 0): HeadState {
  const first = recordAfter(vid, { head: undefined, version: null });
  const record = recordAfter(vid, {
    head: { ...headOf(first), lsn: toLsn(lsn) },
    version: null,
  });
  const run = RecordRun.carrying(record, [], { from: record.lsn, bytesMax: 0 });
  return {
    newest: { lsn: record.lsn, deleted: false, record, run },
    knownAt: { wallMs: 0, monotonicMs },
  };
}

Deno.test("a head only moves forward", () => {
  const heads = new KnownHeads();
  const [older, newer] = [state(1, 9), state(2, 1)];
  heads.put(vid, newer);
  heads.put(vid, older);
  equal(heads.get(vid), newer);
  const later = state(2, 5);
  heads.put(vid, later);
  heads.put(vid, newer);
  equal(heads.get(vid), later);
});

Deno.test("that a volume has no head is not kept", () => {
  const heads = new KnownHeads();
  heads.put(vid, { newest: undefined, knownAt: { wallMs: 0, monotonicMs: 0 } });
  equal(heads.get(vid), undefined);
});

Deno.test("what an object at a multiple of 64 carries is kept for the next", () => {
  const heads = new KnownHeads();
  heads.put(vid, state(62));
  equal(heads.fold(vid), undefined);
  const fold = state(63);
  heads.put(vid, fold);
  heads.put(vid, state(64));
  equal(heads.fold(vid), fold.newest?.run);
});

Deno.test("heads are bounded in bytes", () => {
  const heads = new KnownHeads({ headsBytesMax: 20_000 });
  const vids = Array.from({ length: 100 }, newVolume);
  for (const each of vids) heads.put(each, state(1));
  const kept = vids.filter((each) => heads.get(each) !== undefined).length;
  equal(kept > 5 && kept < 25, true, `${kept}`);
});
