// The hand-written codecs of these tests against the official encodings and against ours.

import assert from "node:assert/strict";
import { members, range, splinter } from "./_support/splinter.ts";

/** Made with the official library. */
const OFFICIAL: readonly [readonly number[], string][] = [
  [[], "daae12df00000000"],
  [[1], "daae12df010000000000000000000000000000000001000000"],
  [[0xffffffff], "daae12dfffff000000ff0000000000ff000000000001000000"],
  [
    range(1, 32),
    "daae12dffeffffff01000000000000000000000000000000000000000000000000000000001f000000000000000000000000000001000000",
  ],
  [range(0, 255), "daae12df00ff000000000000000000000000000001000000"],
  [
    range(1, 1024),
    "daae12dffeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff000001020304feffffff000100010001000100000000040000000000000000000001000000",
  ],
];

Deno.test("the hand-written page sets are the official ones", () => {
  for (const [set, encoded] of OFFICIAL) {
    assert.equal(splinter(set).toHex(), encoded);
    assert.deepEqual(members(splinter(set)), set);
  }
});

Deno.test("the hand-written page sets survive a round trip across all levels", () => {
  const far = [0, 1, 255, 256, 65_535, 65_536, 2 ** 24 - 1, 2 ** 24, 2 ** 28, 2 ** 32 - 1];
  for (const set of [far, range(200, 70_000), range(0, 300).map((i) => i * 65_537)]) {
    assert.deepEqual(members(splinter(set)), set);
  }
});
