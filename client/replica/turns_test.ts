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

Deno.test("what can run at once does, and is no promise", async () => {
  const turns = new Turns();
  assert.equal(turns.runNow(() => turns.busy), true);
  assert.equal(turns.busy, false);
  const fails = () => {
    throw new RangeError("planted");
  };
  assert.throws(() => turns.runNow(fails), RangeError);
  assert.equal(turns.busy, false);
  const log: string[] = [];
  const first = turns.runNow(async () => {
    log.push("first begins");
    await Promise.resolve();
    log.push("first ends");
    return 1;
  });
  // it waits, and so it is a promise
  const second = turns.runNow(() => log.push("second"));
  assert.ok(second instanceof Promise);
  await assert.rejects(async () => await turns.runNow(fails), RangeError);
  assert.deepEqual([await first, await second], [1, 3]);
  assert.deepEqual(log, ["first begins", "first ends", "second"]);
  await turns.idle();
  assert.equal(turns.busy, false);
});
