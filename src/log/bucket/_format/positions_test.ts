import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { toLsn } from "../../../core/lsn.ts";
import { carriesFrom, highestCarrying } from "./positions.ts";

const from = (lsn: number) => carriesFrom(toLsn(lsn));

Deno.test("an object carries the records since the last multiple of 64, or of 4,096", () => {
  const expected = [
    [1, 1],
    [63, 1],
    [64, 1],
    [65, 65],
    [127, 65],
    [128, 1],
    [4095, 4033],
    [4096, 1],
    [4097, 4097],
    [4160, 4097],
    [8191, 8129],
    [8192, 4097],
    [8193, 8193],
  ];
  deepEqual(expected.map(([lsn]) => [lsn, from(lsn)]), expected);
});

/** The objects that are read for a range where all have room for what they may carry. */
function objectsOf(start: number, end: number): number[] {
  const tops: number[] = [];
  for (let at = start; at <= end;) {
    const top = highestCarrying(at, end);
    ok(top >= at && top <= end && from(top) <= at, `${at} of ${start} to ${end}: ${top}`);
    tops.push(top);
    at = top + 1;
  }
  return tops;
}

Deno.test("a range is told by few objects", () => {
  deepEqual(objectsOf(1, 10_000), [4096, 8192, 9984, 10_000]);
  deepEqual(objectsOf(1, 9984), [4096, 8192, 9984]);
  deepEqual(objectsOf(100, 5000), [4096, 4992, 5000]);
  deepEqual(objectsOf(4097, 4098), [4098]);
  deepEqual(objectsOf(64, 64), [64]);
  const lsns = fc.integer({ min: 1, max: 100_000 });
  fc.assert(fc.property(lsns, lsns, (a, b) => {
    const [start, end] = [Math.min(a, b), Math.max(a, b)];
    const folds = Math.floor(end / 4096) - Math.floor((start - 1) / 4096);
    ok(objectsOf(start, end).length <= folds + 2);
  }));
});

Deno.test("at the end of all LSNs nothing overflows", () => {
  const last = Number.MAX_SAFE_INTEGER;
  equal(from(last), last - 62);
  equal(highestCarrying(last, last), last);
});
