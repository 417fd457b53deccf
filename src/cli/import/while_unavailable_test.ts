import assert from "node:assert/strict";
import { GraftError } from "../../core/errors.ts";
import type { Timers } from "../../core/timers.ts";
import { whileUnavailable } from "./while_unavailable.ts";

/** Timers that do not wait, and how long they were asked to. */
function timersWithout(waits: number[]): Timers {
  return {
    after: () => () => {},
    sleep(delayMs) {
      waits.push(delayMs);
      return Promise.resolve();
    },
  };
}

const NEVER = new AbortController().signal;
const AWAY = new GraftError("unavailable", "Away");

Deno.test("a server that comes back is waited for", async () => {
  const waits: number[] = [];
  let left = 3;
  const work = () => left-- > 0 ? Promise.reject(AWAY) : Promise.resolve("done");
  assert.equal(await whileUnavailable(work, timersWithout(waits), NEVER), "done");
  assert.deepEqual(waits, [100, 500, 1000]);
});

Deno.test("a server that stays away is given up after two minutes", async () => {
  const waits: number[] = [];
  const work = () => Promise.reject(AWAY);
  await assert.rejects(whileUnavailable(work, timersWithout(waits), NEVER), AWAY);
  const total = waits.reduce((sum, wait) => sum + wait, 0);
  assert(total >= 120_000 && total < 130_000, String(total));
});

Deno.test("what is refused is not tried again", async () => {
  const waits: number[] = [];
  const refused = new GraftError("conflict", "No");
  const work = () => Promise.reject(refused);
  await assert.rejects(whileUnavailable(work, timersWithout(waits), NEVER), refused);
  assert.deepEqual(waits, []);
});
