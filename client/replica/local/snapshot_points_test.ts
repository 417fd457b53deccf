import assert from "node:assert/strict";
import { PageSet } from "../../../src/core/page_set.ts";
import { SnapshotPoints } from "./snapshot_points.ts";

const at = (state: number, pushed = 0) => ({ state, pushed });

Deno.test("changedSince() tells what changed after a state that is held", () => {
  const points = new SnapshotPoints();
  points.hold(at(1));
  points.changed(2, PageSet.from([5]));
  points.hold(at(2));
  points.changed(3, PageSet.from([6]));
  // nobody holds state 3, so this is one with the last
  points.changed(4, PageSet.from([7]));
  const changed = (state: number) =>
    [5, 6, 7, 8].filter((page) => points.changedSince(state, page));
  assert.deepEqual([changed(1), changed(2), changed(4)], [[5, 6, 7], [6, 7], []]);
  points.release(1);
  assert.deepEqual(changed(2), [6, 7]);
});

Deno.test("what changed while nobody looked is not kept", () => {
  const points = new SnapshotPoints();
  points.changed(1, PageSet.from([5]));
  points.hold(at(1));
  assert.equal(points.changedSince(0, 5), false);
  assert.throws(() => points.release(2), /was held/);
});

Deno.test("sees() and seesUnpushed() know the states that are held", () => {
  const points = new SnapshotPoints();
  points.hold(at(5, 5));
  points.hold(at(5, 3));
  assert.deepEqual([points.sees(5, 6), points.sees(4, 5), points.sees(6, 9)], [true, false, false]);
  assert.deepEqual([3, 4, 5, 6].map((from) => points.seesUnpushed(from)), [
    false,
    true,
    true,
    false,
  ]);
  points.release(5);
  assert.equal(points.sees(5, 6), true);
  points.release(5);
  assert.equal(points.sees(5, 6), false);
});
