import assert from "node:assert/strict";
import { CUT_OFF, NO_VERSION, VersionTable } from "./_version_table.ts";

Deno.test("VersionTable finds the newest version at or below a distance", () => {
  const table = new VersionTable();
  let newest = NO_VERSION;
  const distances = [3, 4, 9, 10, 11, 40];
  for (const [i, distance] of distances.entries()) {
    newest = table.push(1, newest, distance, i, i * 2);
  }
  for (let wanted = 0; wanted <= 50; wanted++) {
    const expected = distances.findLastIndex((distance) => distance <= wanted);
    const found = table.at(newest, wanted);
    assert.equal(found === NO_VERSION ? -1 : table.segment(found), expected, `at ${wanted}`);
    if (found !== NO_VERSION) assert.equal(table.rank(found), expected * 2);
  }
});

Deno.test("VersionTable keeps the lists of pages apart", () => {
  const table = new VersionTable();
  const heads = [NO_VERSION, NO_VERSION, NO_VERSION];
  for (let distance = 1; distance <= 300; distance++) {
    const page = distance % 3;
    heads[page] = table.push(1, heads[page], distance, distance, page);
  }
  assert.equal(table.count, 300);
  for (let distance = 3; distance <= 300; distance++) {
    for (let page = 0; page < 3; page++) {
      const newest = distance - ((distance - page) % 3 + 3) % 3;
      assert.equal(table.segment(table.at(heads[page], distance)), newest);
    }
  }
});

Deno.test("VersionTable reads far back in few steps", () => {
  let steps = 0;
  class CountingTable extends VersionTable {
    protected override step(version: number, distance: number): number {
      steps++;
      return super.step(version, distance);
    }
  }
  const table = new CountingTable();
  const versions = 100_000;
  let newest = NO_VERSION;
  for (let distance = 1; distance <= versions; distance++) {
    newest = table.push(1, newest, distance, distance, 0);
  }
  for (const wanted of [1, 2, 777, 50_000, 99_999]) {
    steps = 0;
    assert.equal(table.segment(table.at(newest, wanted)), wanted);
    assert.ok(steps <= 3 * Math.log2(versions), `${steps} steps to ${wanted}`);
  }
});

Deno.test("VersionTable refuses versions out of order", () => {
  const table = new VersionTable();
  const newest = table.push(1, NO_VERSION, 5, 0, 0);
  assert.throws(() => table.push(1, newest, 5, 0, 0), /order of LSNs/);
});

Deno.test("VersionTable ends every list with a version before all LSNs", () => {
  const table = new VersionTable();
  assert.equal(table.segment(NO_VERSION), CUT_OFF);
  assert.equal(table.at(NO_VERSION, 0), NO_VERSION);
  assert.equal(table.count, 0);
});
