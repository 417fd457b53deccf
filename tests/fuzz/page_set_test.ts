// Damaged encodings of page sets: each is either read or refused, and never anything else.
//
// FUZZ_SEED and FUZZ_RUNS choose what is tried; a failure prints the two that repeat it.

import assert from "node:assert/strict";
import { GraftError } from "../../src/core/errors.ts";
import { PageSet } from "../../src/core/page_set.ts";
import { alloc, graft, memoryBytes, memoryView, reset } from "../../wasm/mod.ts";
import vectors from "../vectors/graft-v0.1.json" with { type: "json" };
import { Chance, mutate } from "./page_set_mutations.ts";

const SEED = Number(Deno.env.get("FUZZ_SEED") ?? 20_250_601);
const RUNS = Number(Deno.env.get("FUZZ_RUNS") ?? 100_000);

/** What surrounds an input whose reads are watched. */
const MARGIN_BYTES = 2048;
/** Members beyond which a set is only checked by its numbers. */
const CHECKED_MEMBERS_MAX = 2 ** 18;

function corpus(): Uint8Array[] {
  const official = vectors.splinter.map(({ bytes }) => Uint8Array.fromHex(bytes));
  const ours = [
    PageSet.from([1, 2, 3]),
    PageSet.from([1, 300, 70_000, 2 ** 24, 2 ** 31]),
    PageSet.range(1, 300),
    PageSet.range(200, 9000),
    PageSet.from(Array.from({ length: 64 }, (_, i) => i * 5)),
    PageSet.from(Array.from({ length: 300 }, (_, i) => i * 37)),
  ].map(({ bytes }) => bytes);
  return official.concat(ours).filter(({ length }) => length < 2000);
}

/** The outcome of validation with `fill` all around the input: the code, and where it failed. */
function outcomeAmid(bytes: Uint8Array, fill: number): string {
  reset();
  const at = alloc(bytes.length + 2 * MARGIN_BYTES);
  memoryBytes().fill(fill, at, at + bytes.length + 2 * MARGIN_BYTES);
  memoryBytes().set(bytes, at + MARGIN_BYTES);
  const code = graft.pageSetDecode(at + MARGIN_BYTES, bytes.length);
  const result = graft.pageSetResult();
  return `${code} at ${memoryView().getFloat64(result + 24, true)}`;
}

/** The set, or the message of its refusal; anything else is thrown. */
function decode(bytes: Uint8Array): PageSet | string {
  try {
    return PageSet.decode(bytes);
  } catch (error) {
    if (error instanceof GraftError && error.code === "invalid") return error.message;
    throw error;
  }
}

function check(set: PageSet): void {
  const again = PageSet.decode(set.bytes);
  assert.ok(again.equals(set), "It does not survive its own encoding");
  assert.equal(set.rank(2 ** 32), set.size);
  if (set.size > CHECKED_MEMBERS_MAX) return;
  const members = set.toArray();
  assert.equal(members.length, set.size);
  assert.equal(members[0], set.first);
  assert.equal(members.at(-1), set.last);
  for (let i = 1; i < members.length; i++) assert.ok(members[i - 1] < members[i], "Out of order");
  assert.ok(PageSet.from(members).equals(set), "Its members encode otherwise");
  const middle = members.length >> 1;
  assert.equal(set.select(middle), members[middle]);
  assert.ok(set.union(set).equals(set) && set.difference(set).equals(PageSet.empty));
}

Deno.test(`${RUNS} damaged page sets are read or refused`, () => {
  const originals = corpus();
  const refusals = new Map<string, number>();
  let read = 0;
  for (let run = 0; run < RUNS; run++) {
    const bytes = mutate(originals, new Chance(SEED + run));
    try {
      assert.equal(
        outcomeAmid(bytes, 0),
        outcomeAmid(bytes, 0xff),
        "It depends on its surroundings",
      );
      const outcome = decode(bytes);
      if (typeof outcome === "string") {
        const state = outcome.replace(/ \(byte.*/, "");
        refusals.set(state, (refusals.get(state) ?? 0) + 1);
      } else {
        read++;
        check(outcome);
      }
    } catch (cause) {
      const repeat = `FUZZ_SEED=${SEED + run} FUZZ_RUNS=1`;
      throw new Error(`Cannot fuzz page sets: ${repeat} fails on ${bytes.toHex()}`, { cause });
    }
  }
  if (RUNS < 100_000) return;
  // were the damage too heavy or too light, the runs would prove nothing
  assert.ok(read > RUNS / 50, `only ${read} were read`);
  assert.equal(refusals.size, 11, "some refusal never happened");
  assert.ok([...refusals.values()].every((count) => count >= 20), "some refusal hardly happened");
});
