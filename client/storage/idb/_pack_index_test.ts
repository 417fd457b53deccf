import assert from "node:assert/strict";
import { PackIndex } from "./_pack_index.ts";
import { PACK_BYTES, PACK_ROWS_MAX } from "./_packs.ts";

const HALF = PACK_BYTES / 2;

Deno.test("a row is found in its pack, until it is removed", () => {
  const index = new PackIndex();
  const row = { key: "a", offset: 3, length: 4 };
  const pack = index.add(1, 10, [row]);
  assert.deepEqual(index.get("a"), { pack, row });
  assert.equal(index.bytes, 5);
  index.remove("a");
  index.remove("never");
  assert.equal(index.get("a"), undefined);
  assert.equal(index.bytes, 0);
  assert.equal(pack.rows.size, 0);
});

Deno.test("numbers go on after the highest", () => {
  const index = new PackIndex();
  index.add(7, 0, []);
  index.add(3, 0, []);
  assert.equal(index.nextId(), 8);
  assert.equal(index.nextId(), 9);
});

Deno.test("a pack is poor while it is less than half full, and not empty", () => {
  const index = new PackIndex();
  const pack = index.add(1, PACK_BYTES, [
    { key: "a", offset: 0, length: HALF - 1 },
    { key: "b", offset: HALF, length: 1 },
  ]);
  assert.equal(index.poor.size, 0);
  index.remove("b");
  assert.deepEqual([...index.poor], [pack]);
  index.remove("a");
  assert.equal(index.poor.size, 0);
});

Deno.test("a pack of many small rows is not poor: it would never get better", () => {
  const index = new PackIndex();
  const rows = Array.from({ length: PACK_ROWS_MAX / 2 }, (_, i) => ({
    key: `${i}`,
    offset: i,
    length: 1,
  }));
  index.add(1, rows.length, rows);
  assert.equal(index.poor.size, 0);
  index.remove("0");
  assert.equal(index.poor.size, 1);
});
