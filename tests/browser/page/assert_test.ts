// The few assertions for browsers must accept and refuse what those of Node do.

import node from "node:assert/strict";
import * as ours from "./assert.ts";

const PAIRS: readonly (readonly [unknown, unknown])[] = [
  [1, 1],
  [1, 2],
  [NaN, NaN],
  [0, -0],
  [1, "1"],
  ["a", "a"],
  [[1n], [1n]],
  [[1n], [2n]],
  [[1n], [1]],
  [undefined, null],
  [{}, {}],
  [{ a: 1 }, { a: 1 }],
  [{ a: 1, b: 2 }, { b: 2, a: 1 }],
  [{ a: 1 }, { a: 1, b: undefined }],
  [{ a: undefined }, { b: undefined }],
  [[1, 2], [1, 2]],
  [[1, 2], [2, 1]],
  [[], {}],
  [new Uint8Array([1, 2]), new Uint8Array([1, 2])],
  [new Uint8Array([1, 2]), new Uint8Array([1, 3])],
  [new Uint8Array([1, 2]), new Uint8Array([1, 2, 3])],
  [new Uint8Array([1, 2]), [1, 2]],
  [new Uint8Array([9, 1, 2]).subarray(1), new Uint8Array([1, 2])],
];

function accepts(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}

for (const [actual, expected] of PAIRS) {
  Deno.test(`${Deno.inspect(actual)} and ${Deno.inspect(expected)} are judged as by Node`, () => {
    for (const name of ["equal", "deepEqual"] as const) {
      node.equal(
        accepts(() => ours[name](actual, expected)),
        accepts(() => node[name](actual, expected)),
        name,
      );
    }
  });
}

Deno.test("ok() refuses what is falsy", () => {
  ours.ok(1);
  node.throws(() => ours.ok(0, "none"), /none/);
});

Deno.test("rejects() takes a promise that rejects as expected, and no other", async () => {
  const error = Object.assign(new Error("x"), { code: 7 });
  await ours.rejects(Promise.reject(error), { message: "x", code: 7 });
  await ours.rejects(Promise.reject(error), (found) => found === error);
  await ours.rejects(() => Promise.reject(error), { message: "x", code: 7 });
  await node.rejects(ours.rejects(Promise.resolve(), () => true), /did not reject/);
  await node.rejects(ours.rejects(() => Promise.resolve(), () => true), /did not reject/);
  await node.rejects(ours.rejects(Promise.reject(error), { code: 8 }), /7 does not equal 8/);
  await node.rejects(ours.rejects(Promise.reject(error), () => false), /Another error/);
});
