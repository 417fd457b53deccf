import { deepEqual, equal } from "node:assert/strict";
import type { Timers } from "../../../core/timers.ts";
import { Deadline } from "./deadline.ts";

/** Timers that fire when the test says so. */
class HeldTimers implements Timers {
  readonly delays: number[] = [];
  readonly waiting = new Map<number, () => void>();
  #next = 0;

  sleep(): Promise<void> {
    return Promise.reject(new Error("a deadline does not sleep"));
  }

  after(delayMs: number, callback: () => void): () => void {
    this.delays.push(delayMs);
    const id = this.#next++;
    this.waiting.set(id, callback);
    return () => this.waiting.delete(id);
  }

  fire(): void {
    for (const callback of this.waiting.values()) callback();
  }
}

Deno.test("a deadline fires when its time is up", () => {
  const timers = new HeldTimers();
  const deadline = new Deadline(timers, undefined);
  deadline.setMs(10);
  equal(deadline.signal.aborted, false);
  timers.fire();
  equal(deadline.signal.aborted, true);
  equal(deadline.hasPassed, true);
});

Deno.test("a deadline that is moved has one moment", () => {
  const timers = new HeldTimers();
  const deadline = new Deadline(timers, undefined);
  deadline.setMs(10);
  deadline.setMs(20);
  equal(timers.waiting.size, 1);
  deadline.clear();
  equal(timers.waiting.size, 0);
});

Deno.test("a deadline that has passed already is now", () => {
  const timers = new HeldTimers();
  new Deadline(timers, undefined).setMs(-10);
  deepEqual(timers.delays, [0]);
});

Deno.test("a caller that gives up ends it with his reason, and no time has passed", () => {
  const controller = new AbortController();
  const timers = new HeldTimers();
  const deadline = new Deadline(timers, controller.signal);
  deadline.setMs(10);
  controller.abort("enough");
  equal(deadline.signal.reason, "enough");
  timers.fire();
  equal(deadline.hasPassed, false);
});

Deno.test("a caller that gave up before ends it at once", () => {
  const deadline = new Deadline(new HeldTimers(), AbortSignal.abort("enough"));
  equal(deadline.signal.reason, "enough");
});

Deno.test("after the end the caller's signal means nothing", () => {
  const controller = new AbortController();
  const deadline = new Deadline(new HeldTimers(), controller.signal);
  deadline.clear();
  controller.abort();
  equal(deadline.signal.aborted, false);
});
