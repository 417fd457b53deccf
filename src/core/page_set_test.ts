import assert from "node:assert/strict";
import { isGraftError } from "./errors.ts";
import { PageSet } from "./page_set.ts";

const U32_MAX = 2 ** 32 - 1;

function invalid(message: RegExp): (error: unknown) => boolean {
  return (error) => isGraftError(error, "invalid") && message.test(error.message);
}

Deno.test("the empty set has no members and takes eight bytes", () => {
  const { empty } = PageSet;
  assert.equal(empty.size, 0);
  assert.equal(empty.first, undefined);
  assert.equal(empty.last, undefined);
  assert.equal(empty.bytes.toHex(), "daae12df00000000");
  assert.deepEqual([...empty], []);
  assert.equal(empty.has(0), false);
  assert.equal(empty.rank(U32_MAX), 0);
  assert.equal(empty.select(0), undefined);
});

Deno.test("every way to the empty set leads to the same bytes", () => {
  const one = PageSet.from([5]);
  const ways = [
    PageSet.from([]),
    PageSet.from(new Uint32Array()),
    PageSet.union([]),
    PageSet.union([PageSet.empty, PageSet.empty]),
    PageSet.decode(PageSet.empty.bytes),
    one.difference(one),
    one.intersection(PageSet.from([6])),
    PageSet.from([1, 9]).intersection(one),
    PageSet.empty.union(PageSet.empty),
  ];
  for (const way of ways) {
    assert.ok(way.equals(PageSet.empty));
    assert.equal(way.first, undefined);
    assert.equal(way.last, undefined);
  }
});

Deno.test("members come in any order and may repeat", () => {
  const set = PageSet.from([300, 1, U32_MAX, 300, 0, 1]);
  assert.deepEqual([...set], [0, 1, 300, U32_MAX]);
  assert.ok(set.equals(PageSet.from(Uint32Array.of(U32_MAX, 0, 300, 1))));
  assert.ok(set.equals(PageSet.from(new Set([0, 1, 300, U32_MAX]))));
  assert.equal(set.first, 0);
  assert.equal(set.last, U32_MAX);
});

Deno.test("members are read from a part of a buffer", () => {
  const numbers = Uint32Array.of(1, 2, 3, 4, 5);
  assert.deepEqual([...PageSet.from(numbers.subarray(1, 3))], [2, 3]);
});

Deno.test("a set keeps its own copy of what it was made from", () => {
  const numbers = Uint32Array.of(1, 2);
  const made = PageSet.from(numbers);
  const bytes = made.bytes.slice();
  const decoded = PageSet.decode(bytes);
  numbers.fill(9);
  bytes.fill(0);
  assert.deepEqual([...made], [1, 2]);
  assert.deepEqual([...decoded], [1, 2]);
  assert.ok(decoded.equals(made));
});

Deno.test("numbers that are not u32 are refused", () => {
  for (const bad of [-1, 0.5, NaN, Infinity, 2 ** 32]) {
    assert.throws(
      () => PageSet.from([1, bad]),
      invalid(/^Cannot put \S+ into a page set: members/),
    );
    assert.throws(() => PageSet.range(0, bad), invalid(/^Cannot put \S+ into a page set/));
    assert.throws(() => PageSet.union([{ first: bad, last: U32_MAX }]), invalid(/members are/));
  }
  assert.throws(() => PageSet.range(8, 7), invalid(/Cannot put 8-7 .* ends before it starts$/));
});

Deno.test("a range holds both its ends", () => {
  for (
    const [first, last] of [
      [0, 0],
      [7, 7],
      [255, 256],
      [0, 255],
      [1, 65_536],
      [65_000, 140_000],
      [16_777_215, 16_777_216],
      [U32_MAX - 3, U32_MAX],
      [U32_MAX, U32_MAX],
    ]
  ) {
    const set = PageSet.range(first, last);
    assert.equal(set.size, last - first + 1);
    assert.equal(set.first, first);
    assert.equal(set.last, last);
    const members = Uint32Array.from({ length: last - first + 1 }, (_, i) => first + i);
    assert.deepEqual(set.toArray(), members);
    assert.ok(set.equals(PageSet.from(members)));
  }
});

Deno.test("the longest ranges are built, read and cut", () => {
  const all = PageSet.range(0, U32_MAX);
  assert.equal(all.size, 2 ** 32);
  assert.equal(PageSet.decode(all.bytes).size, 2 ** 32);
  assert.equal(all.rank(U32_MAX), U32_MAX);
  const volume = PageSet.range(1, 2 ** 28);
  assert.equal(volume.size, 2 ** 28);
  const holed = volume.difference(PageSet.from([70_000]));
  assert.equal(holed.size, 2 ** 28 - 1);
  assert.equal(holed.rank(2 ** 28), 2 ** 28 - 2);
  assert.equal(holed.select(69_999), 70_001);
  assert.equal(holed.has(70_000), false);
  assert.ok(holed.union(PageSet.from([70_000])).equals(volume));
  assert.ok(PageSet.union([holed, { first: 70_000, last: 70_000 }]).equals(volume));
});

Deno.test("point lookups answer for numbers that no set can hold", () => {
  for (const set of [PageSet.from([1, 5, 9]), PageSet.range(1, 9)]) {
    for (const absent of [-1, 10, 2 ** 32 + 1, 5.5, NaN, Infinity]) {
      assert.equal(set.has(absent), false);
    }
    assert.equal(set.rank(-1), 0);
    assert.equal(set.rank(2 ** 32 + 1), set.size);
    assert.equal(set.rank(5.5), set.rank(6));
    for (const none of [-1, 0.5, NaN, set.size]) assert.equal(set.select(none), undefined);
  }
});

Deno.test("equality is that of the members", () => {
  const set = PageSet.from([1, 2, 600]);
  assert.ok(set.equals(PageSet.from([600, 2, 1])));
  assert.ok(!set.equals(PageSet.from([1, 2, 601])));
  assert.ok(!set.equals(PageSet.from([1, 2])));
  assert.ok(!set.equals(PageSet.from([1, 2, 600, 601])));
});

Deno.test("operations leave their operands alone", () => {
  const a = PageSet.from([1, 2, 3, 1000]);
  const b = PageSet.from([2, 3, 70_000]);
  const before = [a.bytes.toHex(), b.bytes.toHex()];
  a.union(b).bytes.fill(0);
  a.cut(b).rest.bytes.fill(0);
  a.intersection(b).bytes.fill(0);
  assert.deepEqual([a.bytes.toHex(), b.bytes.toHex()], before);
});

Deno.test("operations with a set that lies apart, or is empty, give back what is there", () => {
  const low = PageSet.from([1, 3]);
  const high = PageSet.from([4, 6]);
  for (const other of [high, PageSet.empty]) {
    assert.equal(low.intersection(other), PageSet.empty);
    assert.equal(low.difference(other), low);
    assert.deepEqual(low.cut(other), { intersection: PageSet.empty, rest: low });
  }
  assert.equal(low.union(PageSet.empty), low);
  assert.equal(PageSet.empty.union(low), low);
  assert.deepEqual([...low.union(high)], [1, 3, 4, 6]);
  assert.deepEqual([...high.union(low)], [1, 3, 4, 6]);
});

Deno.test("a union takes sets and ranges, in any number and order", () => {
  const parts = [
    { first: 10, last: 12 },
    PageSet.from([1, 11, 400]),
    PageSet.empty,
    PageSet.range(12, 14),
    { first: 399, last: 401 },
    PageSet.from([2]),
  ];
  const expected = [1, 2, 10, 11, 12, 13, 14, 399, 400, 401];
  assert.deepEqual([...PageSet.union(parts)], expected);
  assert.deepEqual([...PageSet.union(new Set(parts).values())], expected);
  const only = PageSet.from([3, 5]);
  assert.equal(PageSet.union([only]), only);
  assert.deepEqual([...PageSet.union([PageSet.empty, { first: 4, last: 5 }])], [4, 5]);
});

Deno.test("a union adds nothing to what is full already", () => {
  const ranges = [{ first: 0, last: 131_071 }, { first: 5, last: 10 }, {
    first: 300,
    last: 70_000,
  }];
  assert.ok(PageSet.union(ranges).equals(PageSet.range(0, 131_071)));
  assert.ok(PageSet.union(ranges.toReversed()).equals(PageSet.range(0, 131_071)));
  // both have gaps, so that they are united as sets
  const block = PageSet.range(256, 511).union(PageSet.from([0, 2]));
  const partition = PageSet.range(65_536, 131_071).union(PageSet.from([1]));
  const inside = PageSet.from([256, 300, 511, 65_600, 131_071]);
  const expected = block.union(partition);
  for (const parts of [[block, partition, inside], [inside, partition, block]]) {
    assert.ok(PageSet.union(parts).equals(expected));
  }
});

Deno.test("ten thousand sets of one page are united", () => {
  const pages = Array.from({ length: 10_000 }, (_, i) => 1 + (i * 7919) % 100_003);
  const union = PageSet.union(pages.map((page) => PageSet.from([page])));
  assert.deepEqual([...union], pages.toSorted((a, b) => a - b));
});

Deno.test("an iteration survives whatever is done between its steps", () => {
  const odd = PageSet.from(Uint32Array.from({ length: 60_000 }, (_, i) => 2 * i + 1));
  let expected = 1;
  for (const member of odd) {
    assert.equal(member, expected);
    expected += 2;
    if (member % 4999 === 0) odd.intersection(PageSet.range(member, member + 9000));
  }
  assert.equal(expected, 120_001);
});

Deno.test("an iteration may be left early and started again", () => {
  const set = PageSet.from(Uint32Array.from({ length: 5000 }, (_, i) => 3 * i));
  for (const member of set) {
    if (member === 4500) break;
  }
  assert.equal([...set].length, 5000);
  assert.deepEqual(set[Symbol.iterator]().next(), { value: 0, done: false });
});

Deno.test("the array of members is the caller's", () => {
  for (const set of [PageSet.from([1, 5]), PageSet.range(1, 3)]) {
    set.toArray().fill(0);
    assert.equal(set.toArray()[0], 1);
  }
});
