import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { type Place, SlabIndex } from "./_slab_index.ts";

const place = (n: number): Place => ({ slab: n + 1, offset: n * 7, length: n * 3 });

/** Hashes that fall on few homes, at the end of the table too, so that probing wraps. */
const hashes = fc.oneof(
  fc.integer({ min: 0, max: 8 }),
  fc.integer({ min: 0, max: 8 }).map((n) => n * 0x1000),
  fc.integer({ min: 0, max: 8 }).map((n) => (0xffff_fffc + (n & 3)) >>> 0),
  fc.integer({ min: 0, max: 0xffff_ffff }),
);

Deno.test("SlabIndex agrees with a map on random changes", () => {
  const step = fc.record({
    kind: fc.constantFrom("set", "set", "delete", "hit"),
    hash: hashes,
    n: fc.integer({ min: 0, max: 1000 }),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 2000, size: "max" }), (steps) => {
    const index = new SlabIndex();
    const model = new Map<number, { n: number; hit: boolean }>();
    for (const { kind, hash, n } of steps) {
      if (kind === "set") {
        index.set(hash, place(n));
        model.set(hash, { n, hit: false });
      } else if (kind === "delete") {
        equal(index.delete(hash), model.delete(hash));
      } else {
        index.markHit(hash);
        const entry = model.get(hash);
        if (entry) entry.hit = true;
      }
    }
    equal(index.size, model.size);
    for (const { hash } of steps) {
      const entry = model.get(hash);
      deepEqual(index.find(hash), entry && place(entry.n));
      equal(index.isHit(hash), entry?.hit ?? false);
    }
  }));
});

Deno.test("SlabIndex takes 21 to 43 bytes an entry, and is empty after clear()", () => {
  const index = new SlabIndex();
  for (let i = 0; i < 100_000; i++) {
    index.set(Math.imul(i, 0x9e37_79b1) >>> 0, place(i));
    if (i < 1000) continue;
    const each = index.memoryBytes / index.size;
    ok(each >= 21 && each <= 43, `${each} bytes`);
  }
  index.clear();
  equal(index.size, 0);
  equal(index.find(0), undefined);
});

Deno.test("SlabIndex refuses a place that does not fit", () => {
  const index = new SlabIndex();
  throws(() => index.set(1, { slab: 0, offset: 0, length: 1 }), { name: "AssertionError" });
  throws(() => index.set(1, { slab: 1, offset: 0, length: 2 ** 31 }), { name: "AssertionError" });
});
