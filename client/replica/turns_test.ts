import assert from "node:assert/strict";
import { Turns } from "./turns.ts";

Deno.test("turns follow each other, also when one fails", async () => {
  const turns = new Turns();
  const log: string[] = [];
  const task = (name: string, fails = false) =>
    turns.run(async () => {
      log.push(`${name} begins`);
      await Promise.resolve();
      log.push(`${name} ends`);
      if (fails) throw new RangeError(name);
      return name;
    });
  const results = Promise.allSettled([task("a"), task("b", true), task("c")]);
  assert.equal(turns.busy, true);
  await turns.idle();
  assert.deepEqual((await results).map(({ status }) => status), [
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  assert.equal(turns.busy, false);
  assert.deepEqual(log, ["a", "b", "c"].flatMap((name) => [`${name} begins`, `${name} ends`]));
});
