// Every operation against a plain Set, over sets of many densities.

import assert from "node:assert/strict";
import fc from "fast-check";
import { PageSet } from "./page_set.ts";

const U32_MAX = 2 ** 32 - 1;
const RUNS = { numRuns: 150 };

/** Where runs begin: near the corners of blocks and partitions, at the extremes, and anywhere. */
const start = fc.oneof(
  fc.constantFrom(0, 1, 31, 32, 255, 256, 65_535, 65_536, 2 ** 24 - 1, 2 ** 24, 2 ** 28, U32_MAX),
  fc.integer({ min: 0, max: 2000 }),
  fc.integer({ min: 0, max: 300_000 }),
  fc.integer({ min: 0, max: U32_MAX }),
);

/** Lengths of runs, those where a block changes its form among them. */
const length = fc.oneof(
  fc.constantFrom(1, 2, 31, 32, 33, 254, 255, 256, 257, 512, 8192),
  fc.integer({ min: 1, max: 700 }),
);

/** A run with gaps: `count` numbers from `first`, `step` apart. */
const run = fc.record({
  first: start,
  count: length,
  step: fc.constantFrom(1, 1, 1, 2, 3, 8, 256, 257, 65_536),
});

const ofRuns = fc.array(run, { maxLength: 6 }).map((runs) => {
  const all = new Set<number>();
  for (const { first, count, step } of runs) {
    for (let i = 0; i < count && first + i * step <= U32_MAX; i++) all.add(first + i * step);
  }
  return all;
});

/** As most commits have them; about half are few enough to be kept as a list, and so are some unions of two. */
const few = fc.array(start, { maxLength: 24 }).map((numbers) => new Set(numbers));

const members = fc.oneof(ofRuns, few);

function sorted(numbers: Iterable<number>): number[] {
  return [...numbers].sort((a, b) => a - b);
}

function shuffled(numbers: Iterable<number>): number[] {
  return sorted(numbers).sort((a, b) => ((a * 2_654_435_761) >>> 0) - ((b * 2_654_435_761) >>> 0));
}

/** Asserts that `set` has exactly these members, is canonical and describes itself rightly. */
function holds(set: PageSet, expected: Iterable<number>): void {
  const list = sorted(expected);
  assert.deepEqual(Array.from(set.toArray()), list);
  assert.equal(set.size, list.length);
  assert.equal(set.first, list[0]);
  assert.equal(set.last, list.at(-1));
  assert.deepEqual(set.bytes, PageSet.from(list).bytes);
  assert.deepEqual(PageSet.decode(set.bytes).bytes, set.bytes);
}

/** Numbers whose presence is worth asking for: members, their neighbours, and others. */
function questions(of: Iterable<number>): number[] {
  const list = sorted(of);
  const stride = Math.max(1, Math.floor(list.length / 40));
  const some = list.filter((_, i) => i % stride === 0).concat(list.slice(-2));
  const near = some.flatMap((member) => [member - 1, member, member + 1, member + 256]);
  return near.filter((member) => member >= 0 && member <= U32_MAX).concat(0, U32_MAX);
}

Deno.test("a set has the members that it was made from", () => {
  fc.assert(
    fc.property(members, (of) => {
      holds(PageSet.from(shuffled(of)), of);
      assert.deepEqual([...PageSet.from(of)], sorted(of));
    }),
    RUNS,
  );
});

Deno.test("union, intersection, difference and cut are those of sets", () => {
  fc.assert(
    fc.property(members, members, (a, b) => {
      const [left, right] = [PageSet.from(a), PageSet.from(b)];
      holds(left.union(right), a.union(b));
      holds(left.intersection(right), a.intersection(b));
      holds(left.difference(right), a.difference(b));
      const { intersection, rest } = left.cut(right);
      holds(intersection, a.intersection(b));
      holds(rest, a.difference(b));
    }),
    RUNS,
  );
});

Deno.test("operations on sets that share most members are those of sets", () => {
  fc.assert(
    fc.property(members, members, members, (common, onlyA, onlyB) => {
      const [a, b] = [common.union(onlyA), common.union(onlyB)];
      const [left, right] = [PageSet.from(a), PageSet.from(b)];
      holds(left.union(right), a.union(b));
      holds(left.intersection(right), a.intersection(b));
      holds(left.difference(right), a.difference(b));
    }),
    RUNS,
  );
});

Deno.test("a union of many sets and ranges is that of all", () => {
  const range = fc.record({ first: start, count: length }).map(({ first, count }) => ({
    first,
    last: Math.min(first + count - 1, U32_MAX),
  }));
  fc.assert(
    fc.property(
      fc.array(members, { maxLength: 5 }),
      fc.array(range, { maxLength: 5 }),
      (sets, ranges) => {
        const all = new Set(sets.flatMap((set) => [...set]));
        for (const { first, last } of ranges) {
          for (let member = first; member <= last; member++) all.add(member);
        }
        holds(PageSet.union([...sets.map((set) => PageSet.from(set)), ...ranges]), all);
      },
    ),
    RUNS,
  );
});

Deno.test("long ranges are cut as sets are", () => {
  const end = start.map((member) => member % 2 ** 26);
  const ends = fc.tuple(end, end).map(sorted);
  fc.assert(
    fc.property(ends, ends, ([a, b], [c, d]) => {
      const common = PageSet.range(a, b).intersection(PageSet.range(c, d));
      const [low, high] = [Math.max(a, c), Math.min(b, d)];
      assert.ok(common.equals(low <= high ? PageSet.range(low, high) : PageSet.empty));
      const left = PageSet.range(a, b).difference(PageSet.range(c, d));
      assert.equal(left.size, b - a + 1 - common.size);
      assert.ok(left.union(common).equals(PageSet.range(a, b)));
      assert.ok(PageSet.union([left, common]).equals(PageSet.range(a, b)));
    }),
    RUNS,
  );
});

Deno.test("has, rank and select agree with the sorted members", () => {
  fc.assert(
    fc.property(members, (of) => {
      const set = PageSet.from(of);
      const list = sorted(of);
      for (const question of questions(of)) {
        const smaller = list.findIndex((member) => member >= question);
        assert.equal(set.has(question), of.has(question), `has ${question}`);
        assert.equal(set.rank(question), smaller < 0 ? list.length : smaller, `rank ${question}`);
      }
      const stride = Math.max(1, Math.floor(list.length / 100));
      for (let rank = 0; rank < list.length; rank += stride) {
        assert.equal(set.select(rank), list[rank], `select ${rank}`);
      }
    }),
    RUNS,
  );
});

Deno.test("equal bytes are equal members", () => {
  fc.assert(
    fc.property(members, members, (a, b) => {
      const same = a.symmetricDifference(b).size === 0;
      assert.equal(PageSet.from(a).equals(PageSet.from(b)), same);
      assert.ok(PageSet.from(a).equals(PageSet.from(shuffled(a))));
    }),
    RUNS,
  );
});
