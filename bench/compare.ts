/**
 * Runs the side-by-side benchmark against the original servers.
 *
 * Starts our server, as `deno task start` does, on a free port and a temporary directory; runs the
 * benchmark that is handed to the project's developers in `../shared`, which starts the original
 * servers itself and prints the ratios; then prints what the sample database takes on our disk.
 *
 * usage: deno task bench [--cases commit,txn,write,read,longlog,pull] [--rounds 3] [--pages FILE.sqlite]
 *
 * @module
 */

import { startServer } from "../tests/harness/server.ts";

const COMPARE = new URL("../../shared/bench/compare", import.meta.url).pathname;

try {
  Deno.statSync(COMPARE);
} catch (cause) {
  console.error("Cannot compare: ../shared/bench/compare is not beside this checkout");
  throw cause;
}
await using server = await startServer({ env: { MALLOC_ARENA_MAX: "2" } });
const { code } = await new Deno.Command("python3", {
  args: [COMPARE, "--ours", server.url, ...Deno.args],
}).spawn().status;
Deno.exitCode = code;
