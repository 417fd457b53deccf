import assert from "node:assert/strict";
import { systemClock } from "../../core/clock.ts";
import { newGid } from "../../core/gid.ts";
import { systemRandom } from "../../core/random.ts";
import { checksumOf, decodeEventId, encodeEventId } from "./event_ids.ts";

const VIDS = Array.from({ length: 3 }, () => newGid("volume", systemClock, systemRandom)).sort();

Deno.test("an event id comes back as it was", () => {
  for (const lsns of [[0, 1, 2], [2 ** 53 - 1, 35, 36]]) {
    assert.deepEqual(decodeEventId(VIDS, encodeEventId(checksumOf(VIDS), lsns)), lsns);
  }
});

Deno.test("an event id of other volumes, or of nobody, says nothing", () => {
  const id = encodeEventId(checksumOf(VIDS), [1, 2, 3]);
  assert.equal(decodeEventId(VIDS.slice(1), id), undefined);
  assert.equal(decodeEventId([...VIDS].reverse(), id), undefined);
  const prefix = id.split(".")[0];
  for (const bad of ["", "x", prefix, `${prefix}.1-2`, `${prefix}.1-2-3-4`, `${prefix}.1-2-!`]) {
    assert.equal(decodeEventId(VIDS, bad), undefined, bad);
  }
  assert.equal(decodeEventId(VIDS, `${prefix}.1-2-zzzzzzzzzzz`), undefined);
  assert.equal(decodeEventId(VIDS, `${id}.1`), undefined);
});
