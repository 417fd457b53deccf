import { deepEqual, equal } from "node:assert/strict";
import { keysOf, TestCache } from "./_testing.ts";

const FILLER = new URL("./_testing_filler.ts", import.meta.url).pathname;

/** Lets another process write so many batches of 50, and kills it while it writes one more. */
async function fillAndKill(directory: string, batches: number): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", FILLER, directory],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const reader = child.stdout.getReader();
  for (let batch = 0; batch < batches; batch++) {
    await writer.write(new Uint8Array([10]));
    await reader.read();
  }
  await writer.write(new Uint8Array([10]));
  child.kill("SIGKILL");
  await reader.cancel();
  await writer.close().catch(() => {});
  await child.status;
}

Deno.test("what a killed process had written is there, and right", async () => {
  await using test = await TestCache.open();
  await test.cache.close();
  for (const batches of [6, 14]) {
    await fillAndKill(test.directory, batches);
    await test.reopen();
    const keys = keysOf("a", batches * 50);
    deepEqual(test.held(keys), keys);
    equal(test.cache.bytes, test.filesBytes());
    await test.cache.close();
  }
});
