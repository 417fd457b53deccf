/**
 * The program `graft`; `deno run -A main.ts --help` tells what it does.
 *
 * @module
 */

import { run } from "./src/cli/run.ts";

if (import.meta.main) Deno.exit(await run(Deno.args));
