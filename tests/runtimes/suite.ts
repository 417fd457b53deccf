/**
 * Runs the cases of `programs/` with the bundled client in another runtime, against a real server.
 *
 * @module
 */

import assert from "node:assert/strict";
import { bundle } from "../../tools/bundle_file.ts";
import { type ServerProcess, startServer } from "../harness/server.ts";
import { bundleSqlite } from "../../tools/bundle_sqlite.ts";
import { KEPT_CASES, SQLITE_CASES } from "../sqlite/_suite.ts";
import { CASES } from "./programs/cases.mjs";
import { type RuntimeName, runtimePath } from "./runtimes.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const CLIENT = new URL("../../client/mod.ts", import.meta.url).pathname;
const SQLITE_SUITE = new URL("../sqlite/_suite.ts", import.meta.url).pathname;
const PROGRAMS = new URL("programs/", import.meta.url);
const SQLITE_PROGRAMS = new URL("sqlite_programs/", import.meta.url);
/** Far above what all cases together take, and above the sum of their own limits. */
const PROGRAM_MS_MAX = 300_000;

/** How a case ended: with an error, or well. */
interface Outcome {
  readonly name: string;
  readonly error?: string;
}

/** What a program left. */
interface ProgramResult {
  readonly code: number;
  readonly outcomes: ReadonlyMap<string, Outcome>;
  readonly output: string;
}

/** What is run in a runtime. */
interface Program {
  readonly name: string;
  /** Puts all that it needs into an empty directory. */
  readonly layOut: (directory: string) => Promise<void>;
  /** The names of its cases. */
  readonly cases: readonly string[];
}

/** Registers the tests of one runtime, with a step a case. */
export function testRuntime(runtime: RuntimeName): void {
  testProgram(runtime, { name: "client", layOut, cases: Object.keys(CASES) });
  testProgram(runtime, {
    name: "client with SQLite",
    layOut: layOutSqlite,
    // Node 20 has no storage that is kept
    cases: [
      "the engine may be handed in",
      "a build that the runtime cannot run is refused",
      ...Object.keys(SQLITE_CASES),
      ...runtime === "Node 20" ? [] : Object.keys(KEPT_CASES),
    ],
  });
}

function testProgram(runtime: RuntimeName, { name, layOut, cases }: Program): void {
  Deno.test(`the bundled ${name} in ${runtime}`, async (t) => {
    const directory = await Deno.makeTempDir({ prefix: "graft-runtime-" });
    try {
      await layOut(directory);
      await Deno.writeTextFile(`${directory}/package.json`, `{ "type": "module" }`);
      const { code, outcomes, output } = await runAgainstServer(runtime, directory);
      for (const name of cases) {
        await t.step(name, () => {
          const outcome = outcomes.get(name);
          assert.ok(outcome !== undefined, `it did not come to this case:\n${output}`);
          assert.equal(outcome.error, undefined);
        });
      }
      await t.step("the program ends by itself", () => assert.equal(code, 0, output));
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}

/** The program, and the bundle beside it: nothing else is there to be imported. */
async function layOut(directory: string): Promise<void> {
  await bundle(CLIENT, `${directory}/graft.js`);
  await copyAll(PROGRAMS, directory);
}

/** The same with the other bundle: its cases are those that run everywhere. */
async function layOutSqlite(directory: string): Promise<void> {
  await bundleSqlite(directory);
  await bundle(SQLITE_SUITE, `${directory}/sqlite_suite.js`);
  await Deno.copyFile(new URL("run.mjs", PROGRAMS), `${directory}/run.mjs`);
  await copyAll(SQLITE_PROGRAMS, directory);
  // under the name that run.mjs knows
  await Deno.writeTextFile(`${directory}/graft.js`, 'export * from "./graft_sqlite.js";\n');
}

async function copyAll(folder: URL, directory: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    await Deno.copyFile(new URL(name, folder), `${directory}/${name}`);
  }
}

async function runAgainstServer(runtime: RuntimeName, directory: string): Promise<ProgramResult> {
  const key = await graft("key", "new");
  const mint = (...args: string[]) =>
    graft("token", "new", "--sub", "x", "--auth-key", key, ...args);
  const tokens = {
    all: await mint(),
    readOnly: await mint("--can", "read"),
    foreign: await graft("token", "new", "--sub", "x", "--auth-key", await graft("key", "new")),
  };
  await using server = await startServer({ args: ["--auth-key", key] });
  return await runProgram(runtime, directory, contextOf(runtime, server, tokens, directory));
}

function contextOf(
  runtime: RuntimeName,
  server: ServerProcess,
  tokens: Readonly<Record<string, string>>,
  directory: string,
): string {
  return JSON.stringify({ runtime, url: server.url, tokens, directory });
}

async function runProgram(
  runtime: RuntimeName,
  directory: string,
  context: string,
): Promise<ProgramResult> {
  const { code, stdout, stderr } = await new Deno.Command(await runtimePath(runtime), {
    args: [`${directory}/run.mjs`, context],
    cwd: directory,
    stdin: "null",
    signal: AbortSignal.timeout(PROGRAM_MS_MAX),
  }).output();
  const decoder = new TextDecoder();
  const lines = decoder.decode(stdout).split("\n").filter((line) => line !== "");
  const outcomes = lines.map((line) => JSON.parse(line) as Outcome);
  return {
    code,
    outcomes: new Map(outcomes.map((outcome) => [outcome.name, outcome])),
    output: decoder.decode(stdout) + decoder.decode(stderr),
  };
}

/** What the program prints for `args`. */
async function graft(...args: string[]): Promise<string> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, ...args],
    stdin: "null",
    stderr: "inherit",
  }).output();
  assert.equal(code, 0, `graft ${args[0]} failed`);
  return new TextDecoder().decode(stdout).trim();
}
