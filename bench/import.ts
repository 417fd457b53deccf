/**
 * How fast are a file imported and exported, and in how much memory?
 *
 * Makes a database, imports it into a server on this machine, exports it, compares the two files, and prints
 * for each program the megabytes a second and its peak resident memory (VmHWM; Linux only), also above that
 * of an import of one page.
 *
 * usage: deno task bench:import [MEGABYTES]
 *
 * Default: 100. `deno task soak:import` takes 1,000 and fails below 40 MB/s or above 64 MB.
 *
 * @module
 */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { startServer } from "../tests/harness/server.ts";

const MAIN = new URL("../main.ts", import.meta.url).pathname;
/** What the start task sets. */
const AS_STARTED = { MALLOC_ARENA_MAX: "2" };
const SAMPLE_MS = 10;
/** What the soak asks for. */
const GOAL = { importMegabytesPerSecond: 40, memoryMegabytes: 64 };

/** How a program ran. */
interface Ran {
  readonly stdout: string;
  readonly seconds: number;
  /** Its peak resident memory. */
  readonly megabytes: number;
}

/** Runs the program, and looks at its memory all the while. */
async function run(...args: string[]): Promise<Ran> {
  const startedMs = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", MAIN, ...args],
    env: AS_STARTED,
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let peak = 0;
  const sampling = setInterval(() => peak = Math.max(peak, peakMemoryBytes(child.pid)), SAMPLE_MS);
  const { success, stdout } = await child.output();
  clearInterval(sampling);
  assert(success, `graft ${args[0]} failed`);
  const seconds = (performance.now() - startedMs) / 1000;
  return { stdout: new TextDecoder().decode(stdout).trim(), seconds, megabytes: peak / 1e6 };
}

/** 0 for a process that is gone. */
function peakMemoryBytes(pid: number): number {
  try {
    const line = /VmHWM:\s+(\d+) kB/.exec(Deno.readTextFileSync(`/proc/${pid}/status`));
    return Number(line?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Rows of text and of bytes that do not compress, with an index. */
function makeDatabase(path: string, megabytes: number): void {
  const database = new DatabaseSync(path);
  database.exec(`
    PRAGMA page_size = 4096;
    CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, body BLOB);
    CREATE INDEX names ON t (name);
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${
    megabytes * 1000
  })
    INSERT INTO t SELECT n, 'name ' || (n * 7919 % 1000003),
      CAST(randomblob(400) || printf('%.*c', 500, 'lorem ipsum') AS BLOB) FROM numbers;
  `);
  database.close();
}

async function assertSame(one: string, other: string): Promise<void> {
  const { code } = await new Deno.Command("cmp", { args: [one, other] }).output();
  assert.equal(code, 0, "The exported file is another one");
}

const isSoak = Deno.args.includes("--soak");
const [megabytes = isSoak ? "1000" : "100"] = Deno.args.filter((arg) => arg !== "--soak");
const directory = await Deno.makeTempDir({ prefix: "graft-import-bench-" });
try {
  await using server = await startServer({ env: AS_STARTED });
  const [path, tiny, out] = ["a.db", "tiny.db", "out.db"].map((name) => `${directory}/${name}`);
  makeDatabase(path, Number(megabytes));
  new DatabaseSync(tiny).exec("VACUUM");
  const fileMegabytes = Deno.statSync(path).size / 1e6;
  const idle = await run("import", tiny, "--server", server.url);
  const imported = await run("import", path, "--server", server.url);
  const exported = await run("export", imported.stdout, out, "--server", server.url);
  await assertSame(path, out);
  for (const [name, ran] of Object.entries({ import: imported, export: exported })) {
    console.log(
      `${name}: ${fileMegabytes.toFixed(0)} MB in ${ran.seconds.toFixed(1)} s, ` +
        `${(fileMegabytes / ran.seconds).toFixed(0)} MB/s; ` +
        `peak memory ${ran.megabytes.toFixed(0)} MB, ` +
        `${(ran.megabytes - idle.megabytes).toFixed(0)} MB above an import of one page`,
    );
    if (isSoak) assert(ran.megabytes - idle.megabytes <= GOAL.memoryMegabytes, "Too much memory");
  }
  if (isSoak) {
    assert(fileMegabytes / imported.seconds >= GOAL.importMegabytesPerSecond, "Too slow");
  }
} finally {
  await Deno.remove(directory, { recursive: true });
}
