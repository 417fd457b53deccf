import { equal } from "node:assert/strict";
import { TestClock } from "../_testing.ts";
import { ageMs, dateMs, momentOf } from "./moment.ts";

Deno.test("a moment is as old as both clocks say, where they agree", () => {
  const clock = new TestClock();
  const moment = momentOf(clock);
  clock.advance(1234);
  equal(ageMs(moment, clock), 1234);
  equal(dateMs(moment, clock), moment.wallMs);
});

Deno.test("a wall clock that is set back makes nothing younger", () => {
  const clock = new TestClock();
  const moment = momentOf(clock);
  clock.advance(60_000);
  clock.wallMs -= 3_600_000;
  equal(ageMs(moment, clock), 60_000);
  equal(dateMs(moment, clock), clock.wallMs - 60_000);
});

Deno.test("nor does a clock that stood still while the machine slept", () => {
  const clock = new TestClock();
  const moment = momentOf(clock);
  clock.wallMs += 3_600_000;
  equal(ageMs(moment, clock), 3_600_000);
  equal(dateMs(moment, clock), moment.wallMs);
});

Deno.test("a date is whole milliseconds, and never later than the moment", () => {
  const clock = new TestClock();
  const moment = momentOf(clock);
  clock.monotonicMs += 0.25;
  equal(dateMs(moment, clock), moment.wallMs - 1);
});
