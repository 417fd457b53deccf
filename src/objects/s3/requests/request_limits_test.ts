import { equal, ok } from "node:assert/strict";
import { pauseMs, REQUEST_LIMITS, transferMs } from "./request_limits.ts";

const asking = (attempt: number, fraction: number, askedMs?: number) =>
  pauseMs(REQUEST_LIMITS, { attempt, fraction, askedMs });

Deno.test("a pause is any part of the longest, which grows four times an attempt", () => {
  equal(asking(1, 0), 0);
  equal(asking(1, 0.5), 100);
  equal(asking(2, 0.5), 400);
  equal(asking(3, 0.5), 1600);
});

Deno.test("a pause is as long as the store asks, up to the bound", () => {
  equal(asking(1, 0.5, 3000), 3000);
  equal(asking(1, 0.5, 3_600_000), REQUEST_LIMITS.askedPauseMsMax);
  equal(asking(3, 0.5, 10), 1600);
});

Deno.test("the time for bytes follows their number", () => {
  equal(transferMs(REQUEST_LIMITS, 0), 0);
  equal(transferMs(REQUEST_LIMITS, 64 * 1024 * 1024), 64_000);
});

Deno.test("all pauses together leave room for an attempt", () => {
  const { attemptsMax, totalMs, attemptMs } = REQUEST_LIMITS;
  const pauses = Array.from({ length: attemptsMax - 1 }, (_, i) => asking(i + 1, 1));
  ok(pauses.reduce((sum, pause) => sum + pause) + attemptMs <= totalMs);
});
