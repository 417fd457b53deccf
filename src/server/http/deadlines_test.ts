import assert from "node:assert/strict";
import { ManualTimers } from "../_testing.ts";
import { FixedClock } from "../auth/_testing.ts";
import { Deadlines, type Watched } from "./deadlines.ts";

class Job implements Watched {
  dueMs: number;
  expired = 0;

  constructor(dueMs: number) {
    this.dueMs = dueMs;
  }

  expire(): void {
    this.expired++;
  }
}

function setUp() {
  const clock = new FixedClock();
  const timers = new ManualTimers();
  const deadlines = new Deadlines(clock, timers);
  const tickAt = (nowMs: number) => {
    clock.monotonicMs = nowMs;
    timers.fire();
  };
  return { timers, deadlines, tickAt };
}

Deno.test("Deadlines expires what is due, once, and nothing else", () => {
  const { deadlines, tickAt } = setUp();
  const [early, late] = [new Job(5000), new Job(9000)];
  deadlines.watch(early, 0);
  deadlines.watch(late, 0);
  tickAt(4999);
  assert.equal(early.expired, 0);
  tickAt(5000);
  tickAt(6000);
  assert.deepEqual([early.expired, late.expired, deadlines.count], [1, 0, 1]);
  tickAt(9000);
  assert.deepEqual([late.expired, deadlines.count], [1, 0]);
});

Deno.test("Deadlines follows a due time that moves", () => {
  const { deadlines, tickAt } = setUp();
  const job = new Job(5000);
  deadlines.watch(job, 0);
  job.dueMs = 8000;
  tickAt(7000);
  assert.equal(job.expired, 0);
  tickAt(8000);
  assert.equal(job.expired, 1);
});

Deno.test("Deadlines forgets what is released", () => {
  const { deadlines, tickAt } = setUp();
  const job = new Job(1000);
  deadlines.watch(job, 0);
  deadlines.release(job);
  tickAt(2000);
  assert.equal(job.expired, 0);
});

Deno.test("Deadlines has a timer only while it watches something", () => {
  const { deadlines, timers, tickAt } = setUp();
  assert.equal(timers.waiting, 0);
  const job = new Job(5000);
  deadlines.watch(job, 0);
  deadlines.watch(new Job(1000), 0);
  assert.equal(timers.waiting, 1);
  tickAt(1000);
  assert.equal(timers.waiting, 1);
  deadlines.release(job);
  tickAt(2000);
  assert.equal(timers.waiting, 0);
  deadlines.watch(job, 2000);
  assert.equal(timers.waiting, 1);
});

Deno.test("Deadlines tells the time of its last tick", () => {
  const { deadlines, tickAt } = setUp();
  deadlines.watch(new Job(5000), 100);
  assert.equal(deadlines.nowMs, 100);
  tickAt(1100);
  assert.equal(deadlines.nowMs, 1100);
});
