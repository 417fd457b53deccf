import assert from "node:assert/strict";
import plugin from "./ambient.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const ENGINE = "src/metastore/metastore.ts";

function diagnose(source: string, path = ENGINE): Deno.lint.Diagnostic[] {
  return Deno.lint.runPlugin(plugin, ROOT + path, source);
}

const BANNED: readonly (readonly [source: string, replacement: RegExp])[] = [
  ["Date.now();", /Clock/],
  ["const now = Date.now;", /Clock/],
  ["globalThis.Date.now();", /Clock/],
  ["new Date();", /Clock/],
  ["performance.now();", /Clock/],
  ["Math.random();", /Random/],
  ["crypto.randomUUID();", /Random/],
  ["crypto.getRandomValues(bytes);", /Random/],
  ["setTimeout(run, 5);", /Timers/],
  ["setInterval(run, 5);", /Timers/],
  ["globalThis.setTimeout(run, 5);", /Timers/],
  ["AbortSignal.timeout(5);", /Timers/],
  ['Deno.readFileSync("x");', /I\/O file/],
  ["await Deno.openKv();", /I\/O file/],
  ['import { readSync } from "node:fs";', /I\/O file/],
  ['import { open } from "node:fs/promises";', /I\/O file/],
  ['import process from "node:process";', /I\/O file/],
];

for (const [source, replacement] of BANNED) {
  Deno.test(`the plugin bans ${source} in an engine and names the replacement`, () => {
    const found = diagnose(source);
    assert.equal(found.length, 1);
    assert.match(found[0].hint ?? "", replacement);
    assert.match(found[0].message, /^Cannot use .* here$/);
  });
}

const ALLOWED: readonly string[] = [
  "new Date(timestampMs).toISOString();",
  "Date.UTC(2026, 0);",
  "clock.now();",
  "Math.floor(1.5);",
  "crypto.subtle;",
  "clearTimeout(id);",
  "timers.setTimeout(run, 5);",
  "let handle: Deno.Kv;",
  'import type { Stats } from "node:fs";',
  'import { Buffer } from "node:buffer";',
];

for (const source of ALLOWED) {
  Deno.test(`the plugin allows ${source}`, () => {
    assert.deepEqual(diagnose(source), []);
  });
}

Deno.test("the plugin applies to the client too", () => {
  assert.equal(diagnose("Date.now();", "client/client.ts").length, 1);
});

Deno.test("each wrapper may do what it wraps, and nothing else", () => {
  assert.deepEqual(diagnose("Date.now();", "src/core/clock.ts"), []);
  assert.deepEqual(diagnose("setTimeout(run, 5);", "src/core/timers.ts"), []);
  assert.deepEqual(diagnose("Math.random();", "src/core/random.ts"), []);
  assert.equal(diagnose("Math.random();", "src/core/clock.ts").length, 1);
  assert.equal(diagnose("Deno.env;", "src/core/clock.ts").length, 1);
});

Deno.test("the edge is free: the program, the command line, tests, tools", () => {
  const edge = [
    "main.ts",
    "src/cli/serve.ts",
    "src/log/memory_log_test.ts",
    "src/log/_conformance.ts",
    "tests/harness/server.ts",
    "tools/bundle.ts",
    "bench/memory.ts",
  ];
  for (const path of edge) assert.deepEqual(diagnose("Deno.args; Date.now();", path), [], path);
});

Deno.test("each room may have one kind of I/O file", () => {
  assert.deepEqual(diagnose("Deno.openKv();", "src/log/_log_io.ts"), []);
  assert.equal(diagnose("Deno.openKv();", "src/log/kv/log_io.ts").length, 1);
  assert.equal(diagnose("Date.now();", "src/log/_log_io.ts").length, 1);
});

Deno.test("a wrapper's name counts only at its own place", () => {
  assert.equal(diagnose("Date.now();", "src/other/src/core/clock.ts").length, 1);
  assert.equal(diagnose("Date.now();", "wasm/mod.ts").length, 1);
});
