import assert from "node:assert/strict";
import { WriterLock } from "./writer_lock.ts";

Deno.test("one writes at a time, and only it can stop", () => {
  const lock = new WriterLock();
  const [one, two] = [{}, {}];
  assert.equal(lock.isHeld, false);
  assert.ok(lock.tryAcquire(one));
  assert.ok(lock.tryAcquire(one), "who has it has it");
  assert.equal(lock.tryAcquire(two), false);
  lock.release(two);
  assert.ok(lock.isHeld);
  lock.release(one);
  assert.ok(lock.tryAcquire(two));
});
