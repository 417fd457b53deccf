import assert from "node:assert/strict";
import { RecentPacks } from "./_recent_packs.ts";

Deno.test("what was not used for longest goes first", () => {
  const recent = new RecentPacks(30);
  for (const id of [1, 2, 3]) recent.set(id, new Uint8Array(10));
  recent.get(1);
  recent.set(4, new Uint8Array(10));
  assert.deepEqual([1, 2, 3, 4].map((id) => recent.get(id) !== undefined), [
    true,
    false,
    true,
    true,
  ]);
});

Deno.test("a pack that is set again counts once", () => {
  const recent = new RecentPacks(30);
  for (let i = 0; i < 5; i++) recent.set(1, new Uint8Array(10));
  recent.set(2, new Uint8Array(20));
  assert.ok(recent.get(1) !== undefined);
  recent.delete(2);
  recent.set(3, new Uint8Array(20));
  assert.ok(recent.get(1) !== undefined);
});

Deno.test("a pack that is larger than all room is not kept", () => {
  const recent = new RecentPacks(30);
  recent.set(1, new Uint8Array(31));
  assert.equal(recent.get(1), undefined);
  recent.set(2, new Uint8Array(30));
  assert.ok(recent.get(2) !== undefined);
});
