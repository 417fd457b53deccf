import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { toLsn } from "../../../core/lsn.ts";
import { newVolume } from "../../_testing.ts";
import { afterVolume, parseRecordKey, recordKey, volumePrefix } from "./keys.ts";

const vid = newVolume();
const lsns = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).map(toLsn);

// docs/formats/bucket_log.md draws these; a change here is a new format
Deno.test("the names are those of format 1", () => {
  equal(recordKey(vid, toLsn(1)), `log/${vid}/1ffffffffffffe`);
  equal(recordKey(vid, toLsn(4096)), `log/${vid}/1fffffffffefff`);
  equal(recordKey(vid, toLsn(Number.MAX_SAFE_INTEGER)), `log/${vid}/00000000000000`);
});

Deno.test("a name comes back", () => {
  fc.assert(fc.property(lsns, (lsn) => {
    deepEqual(parseRecordKey(recordKey(vid, lsn)), { vid, lsn });
  }));
});

Deno.test("what is newer sorts first", () => {
  fc.assert(fc.property(lsns, lsns, (a, b) => {
    equal(recordKey(vid, a) < recordKey(vid, b), a > b);
  }));
});

Deno.test("a volume's names lie between its prefix and what comes after it", () => {
  const [a, b] = [newVolume(), newVolume()].sort();
  for (const lsn of [1, 64, Number.MAX_SAFE_INTEGER].map(toLsn)) {
    ok(recordKey(a, lsn).startsWith(volumePrefix(a)));
    ok(recordKey(a, lsn) < afterVolume(a));
    ok(recordKey(b, lsn) > afterVolume(a));
  }
});

Deno.test("a name that is none of a record's is not taken for one", () => {
  const key = recordKey(vid, toLsn(7));
  const others = [
    key.slice(0, -1),
    `${key}0`,
    `x${key}`,
    key.toUpperCase(),
    `log/${vid.slice(1)}/1ffffffffffffe`,
    // would be LSN 0
    `log/${vid}/1fffffffffffff`,
    `log/${vid}/20000000000000`,
    "log.json",
  ];
  for (const other of others) equal(parseRecordKey(other), undefined, other);
});
