import assert from "node:assert/strict";
import { BTreePrefetcher } from "./b_tree_prefetcher.ts";
import { fetchInteriorPages } from "./interior_pages.ts";
import { ColdSource, makePages } from "./_testing.ts";

/** Numbers that look random, and are the same for a seed. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
}

function makeTable(rows: number): Promise<Uint8Array[]> {
  return makePages((database) =>
    database.exec(`create table t (id integer primary key, k integer, body text);
      with recursive n (i) as (select 1 union all select i + 1 from n where i < ${rows})
        insert into t select i, (i * 7919) % 1000, hex(zeroblob(i % 40)) from n;
      create index i on t (k); insert into t values (999999, 1, hex(randomblob(9000)))`)
  );
}

Deno.test("damaged pages are guessed about, and harm nobody", async () => {
  const sound = await makeTable(30_000);
  for (let seed = 1; seed <= 60; seed++) {
    const next = numbers(seed);
    const pages = sound.map((page) => {
      const copy = page.slice();
      for (let i = next() % 8; i > 0; i--) copy[next() % (next() % 2 ? 200 : 4096)] = next() >>> 24;
      return copy;
    });
    const here = new Set<number>();
    const prefetcher = new BTreePrefetcher({
      peek: (pageIdx) => here.has(pageIdx) ? pages[pageIdx - 1] : undefined,
      pageCount: () => pages.length,
    });
    let at = 1;
    for (let read = 0; read < 600; read++) {
      at = next() % 4 === 0 ? next() % pages.length + 1 : at % pages.length + 1;
      if (!here.has(at)) {
        const wanted = [...prefetcher.missed(at)];
        assert.ok(wanted.length < 1024, `seed ${seed}: ${wanted.length} pages`);
        assert.ok(
          wanted.every((pageIdx) => pageIdx >= 1 && pageIdx <= pages.length && pageIdx !== at),
        );
        assert.ok(wanted.every((pageIdx) => !here.has(pageIdx)));
        for (const pageIdx of [at, ...wanted]) here.add(pageIdx);
      }
      prefetcher.hit(at, pages[at - 1]);
      if (next() % 200 === 0) prefetcher.reset();
    }
  }
});

Deno.test("all interior pages come with a few requests, and no more leaves than trees", async () => {
  const pages = await makeTable(200_000);
  const source = new ColdSource(pages);
  const snapshot = source.snapshot();
  // the table's and the index's root
  const looked = await fetchInteriorPages(snapshot, [1, 2, 3]);
  assert.ok(source.roundTrips <= 5, `${source.roundTrips}`);
  const interior = pages.filter(([kind]) => kind === 2 || kind === 5).length;
  assert.ok(interior > 4);
  assert.ok(looked <= interior + 6 && looked >= interior, `${looked} of ${interior}`);
  const damaged = pages.map((page, i) => i === 5 ? new Uint8Array(4096).fill(5) : page);
  await fetchInteriorPages(new ColdSource(damaged).snapshot(), [1, 2, 3, 6]);
});
