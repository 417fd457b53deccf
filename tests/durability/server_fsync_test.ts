import assert from "node:assert/strict";
import { systemClock } from "../../src/core/clock.ts";
import { newGid } from "../../src/core/gid.ts";
import { systemRandom } from "../../src/core/random.ts";
import { PATHS } from "../../src/wire/protocol.ts";
import { until } from "../harness/poll.ts";
import { startServer } from "../harness/server.ts";
import { WireClient } from "../harness/wire_client.ts";
import type { Attempt } from "./server_ledger.ts";
import { pagesOf, sendCommit } from "./server_load.ts";

const CALLS = [
  "fsync,fdatasync,rename,renameat,renameat2,link,linkat",
  "read,readv,recvfrom,write,writev,sendto,sendmsg",
].join();

/** Traces a process and all its threads while `use` runs; the lines in order. */
async function traced(pid: number, use: () => Promise<void>): Promise<string[]> {
  const path = await Deno.makeTempFile({ suffix: ".trace" });
  try {
    const strace = new Deno.Command("strace", {
      args: ["-f", "-y", "-s", "64", "-e", `trace=${CALLS}`, "-o", path, "-p", String(pid)],
      stdin: "null",
      stderr: "null",
    }).spawn();
    await until("strace's hold on the server", () => isTraced(pid));
    await use();
    strace.kill("SIGINT");
    await strace.status;
    return (await Deno.readTextFile(path)).split("\n");
  } finally {
    await Deno.remove(path);
  }
}

async function isTraced(pid: number): Promise<boolean> {
  for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
    const status = await Deno.readTextFile(`/proc/${pid}/task/${name}/status`);
    if (/^TracerPid:\s*0$/m.test(status)) return false;
  }
  return true;
}

/**
 * The calls that had ended between the arrival of a request and the first byte of its answer. A call
 * that another thread's interrupts is in the trace where it ended, an answer where it began.
 */
function callsBehindAnswer(trace: readonly string[], path: string): string[] {
  const arrival = trace.findIndex((line) => line.includes(`"POST ${path}`));
  assert.ok(arrival >= 0, `The trace has no request for ${path}`);
  const answer = trace.findIndex((line, i) => i > arrival && line.includes('"HTTP/1.1 200 OK'));
  assert.ok(answer >= 0, `The trace has no answer to ${path}`);
  const begun = new Map<string, string>();
  return trace.slice(arrival, answer).flatMap((line) => {
    const [, thread, rest] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (rest?.endsWith("<unfinished ...>")) begun.set(thread, rest);
    if (rest === undefined || !/\) += \d+/.test(rest)) return [];
    return [rest.startsWith("<...") ? `${begun.get(thread)}${rest}` : rest];
  });
}

function position(
  calls: readonly string[],
  what: string,
  isIt: (call: string) => boolean,
): number {
  const at = calls.findIndex(isIt);
  assert.ok(at >= 0, `No ${what} before the answer:\n${calls.join("\n")}`);
  return at;
}

function isSyncOfLog(call: string): boolean {
  return /^f(data)?sync\(\d+<[^>]*\/log\.kv/.test(call);
}

Deno.test("pages and commits are synced to the disk before they are answered", async () => {
  await using server = await startServer();
  using client = new WireClient(server.url);
  const vid = newGid("volume", systemClock, systemRandom);
  const cid = newGid("client", systemClock, systemRandom);
  const attempt = (id: number): Attempt => (
    { id, vid, cid, base: id - 1, pageCount: 9, pageIdxs: [1, 2, 9], segments: [] }
  );
  const first = attempt(1);
  // what is created once, at the first write, is not what this is about
  first.segments = await client.writePages(vid, pagesOf(first));
  await sendCommit(client, first);

  const second = attempt(2);
  const trace = await traced(server.pid, async () => {
    second.segments = await client.writePages(vid, pagesOf(second));
    await sendCommit(client, second);
  });

  const write = callsBehindAnswer(trace, PATHS.writePages);
  const place = `/segments/${second.segments[0].sid}"`;
  const named = position(
    write,
    "rename to the segment",
    (call) => call.startsWith("rename") && call.includes(place),
  );
  const temporary = /"([^"]+)"/.exec(write[named])?.[1] ?? "";
  const synced = position(
    write,
    "fdatasync of the segment",
    (call) => /^f(data)?sync\(/.test(call) && call.includes(`<${temporary}>`),
  );
  const listed = position(
    write,
    "fsync of the directory",
    (call) => /^fsync\(\d+<[^>]*\/segments>/.test(call),
  );
  assert.ok(synced < named && named < listed, write.join("\n"));
  // a registration that outlived its segment would let a commit name nothing
  const registered = write.findLastIndex(isSyncOfLog);
  assert.ok(listed < registered, `The log was not synced last:\n${write.join("\n")}`);

  const commit = callsBehindAnswer(trace, PATHS.commit);
  position(commit, "fsync of the log", isSyncOfLog);
});
