import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { sortInTurns } from "./sort_in_turns.ts";

interface Item {
  readonly key: string;
}

/** Keys in an order that has nothing to do with theirs. */
function shuffled(count: number): Item[] {
  return Array.from({ length: count }, (_, i) => ({
    key: ((i * 7919) % count).toString().padStart(7, "0"),
  }));
}

function isAscending(items: readonly Item[]): boolean {
  return items.every((item, i) => i === 0 || items[i - 1].key < item.key);
}

async function sortCounting(items: Item[]): Promise<{ sorted: Item[]; turns: number }> {
  let turns = 0;
  const sorted = await sortInTurns(items, () => {
    turns++;
    return Promise.resolve();
  });
  return { sorted, turns };
}

Deno.test("few items are sorted at once", async () => {
  const { sorted, turns } = await sortCounting(shuffled(1000));
  ok(isAscending(sorted));
  equal(sorted.length, 1000);
  equal(turns, 0);
});

for (const count of [16_384, 16_385, 32_768, 100_000]) {
  Deno.test(`${count} items are sorted, none lost`, async () => {
    const { sorted, turns } = await sortCounting(shuffled(count));
    equal(sorted.length, count);
    ok(isAscending(sorted));
    ok(turns >= Math.floor((count - 1) / 16_384), `${turns} turns`);
  });
}

Deno.test("equal keys all stay", async () => {
  const items = Array.from({ length: 20_000 }, (_, i) => ({ key: String(i % 3) }));
  const { sorted } = await sortCounting(items);
  deepEqual([0, 6667, 13_334].map((at) => sorted[at].key), ["0", "1", "2"]);
  equal(sorted.length, 20_000);
});

Deno.test("no items are no items", async () => {
  deepEqual((await sortCounting([])).sorted, []);
});

Deno.test("any keys are sorted as their strings are", async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.string()), async (keys) => {
    const { sorted } = await sortCounting(keys.map((key) => ({ key })));
    deepEqual(sorted.map(({ key }) => key), [...keys].sort());
  }));
});
