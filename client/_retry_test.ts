import assert from "node:assert/strict";
import type { Random } from "../src/core/random.ts";
import { retryAfterMs, retryDelayMs } from "./_retry.ts";
import { FakeTime } from "./_testing.ts";

const chance = (fraction: number): Random => ({
  fill: (target) => target,
  fraction: () => fraction,
});

Deno.test("the wait is anything from nothing up to a bound that doubles to five seconds", () => {
  const bounds = [100, 200, 400, 800, 1600, 3200, 5000, 5000];
  bounds.forEach((bound, i) => {
    assert.equal(retryDelayMs(i + 1, 0, chance(0)), 0);
    assert.equal(retryDelayMs(i + 1, 0, chance(0.5)), bound / 2);
  });
  assert.equal(retryDelayMs(5000, 0, chance(0.5)), 2500);
});

Deno.test("the wait begins after what the server asked for", () => {
  assert.equal(retryDelayMs(1, 3000, chance(0)), 3000);
  assert.equal(retryDelayMs(2, 3000, chance(0.5)), 3100);
});

Deno.test("Retry-After is read as seconds or as a date", () => {
  const time = new FakeTime();
  const date = (offsetMs: number) => new Date(time.now() + offsetMs).toUTCString();
  const cases: [string | null, number][] = [
    [null, 0],
    ["0", 0],
    ["7", 7000],
    [" 7 ", 7000],
    [date(90_000), 90_000],
    [date(-90_000), 0],
    ["", 0],
    ["soon", 0],
    ["99999999999999999999", 0],
  ];
  for (const [header, ms] of cases) assert.equal(retryAfterMs(header, time), ms, `${header}`);
});
