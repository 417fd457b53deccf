import assert from "node:assert/strict";
import { runCommand, runDeno } from "./command.ts";

Deno.test("runCommand() collects both streams and the exit code", async () => {
  const result = await runCommand("sh", ["-c", "echo out; echo err >&2; exit 3"]);
  assert.equal(result.code, 3);
  assert.equal(result.output, "out\nerr\n");
  assert.ok(result.seconds > 0);
});

Deno.test("runCommand() gives the program no input", async () => {
  assert.equal((await runCommand("cat", [])).output, "");
});

Deno.test("runCommand() takes a directory and variables", async () => {
  const result = await runCommand("sh", ["-c", "pwd; echo $PLANTED"], {
    cwd: "/",
    env: { PLANTED: "seed" },
  });
  assert.equal(result.output, "/\nseed\n");
});

Deno.test("runCommand() says that a program is not there, with a shell's code for it", async () => {
  const result = await runCommand("/nowhere/program", []);
  assert.equal(result.code, 127);
  assert.match(result.output, /Cannot run "\/nowhere\/program": it is not installed/);
});

Deno.test("runCommand() ends a program that takes too long, as a failure", async () => {
  const result = await runCommand("sleep", ["600"], { signal: AbortSignal.timeout(50) });
  assert.notEqual(result.code, 0);
});

Deno.test("runDeno() runs this version", async () => {
  assert.match((await runDeno(["--version"])).output, new RegExp(Deno.version.deno));
});
