import assert from "node:assert/strict";
import { VID } from "../_testing.ts";
import { PageRow } from "./page_rows.ts";
import { PageVersions } from "./page_versions.ts";

function versionsOf(...list: [page: number, state: number, until: number][]): PageVersions {
  const versions = new PageVersions();
  for (const [page, state, until] of list) {
    versions.add({ row: new PageRow(VID, page, state), until, isStored: true });
  }
  return versions;
}

const statesOf = (keys: readonly string[]) => keys.map((key) => parseInt(key.slice(-12), 16));

Deno.test("at() finds the version that a page had at a state", () => {
  const versions = versionsOf([1, 2, 4], [1, 4, 7], [2, 3, 5]);
  const found = [1, 2, 3, 4, 6, 7].map((state) => versions.at(1, state)?.state);
  assert.deepEqual(found, [undefined, 2, 2, 4, 4, undefined]);
  assert.equal(versions.at(9, 3), undefined);
});

Deno.test("prune() lets go of what only the released state saw", () => {
  const versions = versionsOf([1, 2, 4], [1, 4, 7], [2, 3, 5], [3, 1, 3]);
  // somebody still reads at 4
  const isSeen = (from: number, until: number) => from <= 4 && 4 < until;
  assert.deepEqual(statesOf(versions.prune(3, isSeen)), [2]);
  assert.equal(versions.at(1, 3), undefined);
  assert.equal(versions.at(2, 4)?.state, 3);
  assert.deepEqual(statesOf(versions.prune(4, () => false)), [3, 4]);
  assert.deepEqual(statesOf(versions.prune(2, () => false)), [1]);
});

Deno.test("versions that come out of order are pruned like the others", () => {
  const versions = versionsOf([1, 6, 9], [2, 2, 4]);
  assert.deepEqual(statesOf(versions.prune(8, () => false)), [6]);
  assert.equal(versions.at(2, 3)?.state, 2);
});

Deno.test("forget() forgets a page, and prune() does not name what is in memory only", () => {
  const versions = versionsOf([1, 2, 4], [2, 2, 4]);
  versions.forget(1);
  versions.forget(7);
  versions.add({ row: new PageRow(VID, 3, 2), until: 4, isStored: false });
  assert.equal(versions.prune(3, () => false).length, 1);
  assert.equal(versions.at(3, 3), undefined);
});
