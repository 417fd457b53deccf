/**
 * Runs the side-by-side benchmark against the original servers.
 *
 * Starts our server, as `deno task start` does, on a free port and a temporary directory, and runs
 * `../shared/bench/compare` on it: the same load for both, in turns, and the ratios. That script is not
 * part of this repository; it starts the original servers itself.
 *
 * usage: deno task bench [--cases commit,txn,write,read,longlog,pull] [--rounds 3] [--pages FILE.sqlite]
 *
 * @module
 */

import { startServer } from "../tests/harness/server.ts";

const COMPARE = new URL("../../shared/bench/compare", import.meta.url).pathname;

if (!await Deno.stat(COMPARE).then(() => true, () => false)) {
  console.error("Cannot compare: ../shared/bench/compare is not beside this checkout");
  Deno.exit(1);
}
await using server = await startServer({ env: { MALLOC_ARENA_MAX: "2" } });
const { code } = await new Deno.Command("python3", {
  args: [COMPARE, "--ours", server.url, ...Deno.args],
}).spawn().status;
Deno.exitCode = code;
