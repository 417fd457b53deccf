import assert from "node:assert/strict";
import { Progress } from "./progress.ts";

/** A clock that a test moves, and what was written so far. */
function setUp(isTerminal: boolean) {
  const state = { nowMs: 1000, text: "" };
  const clock = { now: () => 0, monotonic: () => state.nowMs };
  const output = { isTerminal, write: (text: string) => void (state.text += text) };
  return { state, progress: new Progress("Working", 8_000_000, output, clock) };
}

Deno.test("a terminal has one line, drawn ten times a second at most, and gone at the end", () => {
  const { state, progress } = setUp(true);
  progress.at(2_000_000);
  assert.equal(
    state.text,
    `\r\x1b[2KWorking  [${"######".padEnd(24, "-")}]  25 %  2.0 of 8.0 MB`,
  );
  state.text = "";
  state.nowMs += 99;
  progress.at(3_000_000);
  assert.equal(state.text, "");
  state.nowMs += 1;
  progress.at(8_000_000);
  assert(state.text.includes(`[${"#".repeat(24)}] 100 %`), state.text);
  state.text = "";
  progress.end();
  progress.end();
  assert.equal(state.text, "\r\x1b[2K");
});

Deno.test("elsewhere a line comes every ten seconds, and none of what is quick", () => {
  const { state, progress } = setUp(false);
  state.nowMs += 9_999;
  progress.at(1_000_000);
  progress.end();
  assert.equal(state.text, "");
  state.nowMs += 1;
  progress.at(4_000_000);
  assert.equal(state.text, "Working  50 %  4.0 of 8.0 MB\n");
});
