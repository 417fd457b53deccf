import assert from "node:assert/strict";
import { isGraftError } from "./errors.ts";
import { systemTimers } from "./timers.ts";

Deno.test("systemTimers.sleep resolves", async () => {
  await systemTimers.sleep(1);
  await systemTimers.sleep(1, new AbortController().signal);
});

Deno.test("systemTimers.sleep gives up when the signal fires", async () => {
  const controller = new AbortController();
  const sleeping = systemTimers.sleep(60_000, controller.signal);
  controller.abort(new Error("enough"));
  await assert.rejects(sleeping, (error) => {
    assert.ok(isGraftError(error, "aborted"));
    assert.equal((error.cause as Error).message, "enough");
    return true;
  });
});

Deno.test("systemTimers.sleep does not start with a signal that has fired", async () => {
  await assert.rejects(
    systemTimers.sleep(60_000, AbortSignal.abort()),
    (error) => isGraftError(error, "aborted"),
  );
});

Deno.test("systemTimers.after calls once, unless cancelled", async () => {
  const calls: string[] = [];
  systemTimers.after(1, () => calls.push("called"));
  systemTimers.after(1, () => calls.push("cancelled"))();
  await systemTimers.sleep(20);
  assert.deepEqual(calls, ["called"]);
});
