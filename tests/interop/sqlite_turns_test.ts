import assert from "node:assert/strict";
import { startServer } from "../harness/server.ts";
import { RandomStatements } from "./_random_statements.ts";
import { SharedDatabase } from "./_shared_database.ts";

const ROUNDS = Number(Deno.env.get("GRAFT_INTEROP_ROUNDS") ?? 5);
const DATABASES = 4;
/** Small enough for transactions to spill. */
const SMALL_CACHE = "pragma cache_size = 10";

/** Both write by chance, in turns. */
async function takeTurns(url: string, seed: number): Promise<void> {
  const statements = new RandomStatements(seed);
  const { schema } = statements;
  const createdBy = seed % 2 === 0 ? "ours" : "theirs";
  const options = { setup: [SMALL_CACHE] };
  await using shared = await SharedDatabase.create({ url, createdBy, schema, options });
  await shared.theirs.sql(SMALL_CACHE);
  for (let round = 0; round < ROUNDS; round++) {
    for (const by of ["byOurs", "byTheirs"] as const) {
      const sql = Array.from({ length: 3 }, () => statements.next()).join(";\n");
      try {
        await shared[by](sql);
        await shared.assertSame();
      } catch (cause) {
        throw new Error(`Seed ${seed}, round ${round}, ${by}: ${sql}`, { cause });
      }
    }
  }
  const words = "select count(*), sum(rowid) from docs where docs match 'word3 OR number'";
  assert.equal((await shared.rows(words)).length, 1);
  await shared.byOurs("insert into docs (docs) values ('integrity-check')");
  assert.equal(await shared.theirs.state(), "Ok");
  await shared.assertSameAnew();
}

Deno.test("databases by chance are the same to the official client and to ours, in turns", async () => {
  const first = Number(Deno.env.get("GRAFT_INTEROP_SEED") ?? Date.now() % 1_000_000_000);
  console.log(`GRAFT_INTEROP_SEED=${first}`);
  await using server = await startServer();
  const seeds = Array.from({ length: DATABASES }, (_, i) => first + i);
  await Promise.all(seeds.map((seed) => takeTurns(server.url, seed)));
});
