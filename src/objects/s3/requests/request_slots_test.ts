import { deepEqual, equal, rejects } from "node:assert/strict";
import { RequestSlots } from "./request_slots.ts";

const never = new AbortController().signal;

Deno.test("slots are given to those who wait in the order in which they came", async () => {
  const slots = new RequestSlots(2);
  await slots.take(never);
  equal(slots.tryTake(), true);
  equal(slots.tryTake(), false);
  const served: number[] = [];
  const waiting = [1, 2, 3].map((each) => slots.take(never).then(() => served.push(each)));
  await Promise.resolve();
  deepEqual(served, []);
  for (let i = 0; i < 3; i++) slots.release();
  await Promise.all(waiting);
  deepEqual(served, [1, 2, 3]);
  equal(slots.tryTake(), false);
  slots.release();
  equal(slots.tryTake(), true);
});

Deno.test("a slot is not given to who gave up waiting", async () => {
  const slots = new RequestSlots(1);
  await slots.take(never);
  const controller = new AbortController();
  const first = slots.take(controller.signal);
  const second = slots.take(never);
  controller.abort(new Error("enough"));
  await rejects(first, /enough/);
  slots.release();
  await second;
  equal(slots.tryTake(), false);
  await rejects(slots.take(AbortSignal.abort(new Error("before"))), /before/);
});
