/**
 * Runs every case in the runtime that it is started with, and prints a line of JSON for each.
 *
 * It neither catches what escapes a case nor ends the process: whatever the client leaves running shows.
 */

import { CASES } from "./cases.mjs";

/** A case that hangs is a failure, and the next one gets its turn. */
const CASE_MS_MAX = 30_000;

/** Rejects when the time of a case is over. */
function limit() {
  let timer;
  const over = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`No end within ${CASE_MS_MAX} ms`)), CASE_MS_MAX);
  });
  return { over, cancel: () => clearTimeout(timer) };
}

// the test puts it beside this file, so nothing that looks at the sources alone can find it
const graft = await import(new URL("graft.js", import.meta.url).href);
const context = { graft, ...JSON.parse(process.argv[2]) };
for (const [name, run] of Object.entries(CASES)) {
  const { over, cancel } = limit();
  try {
    await Promise.race([run(context), over]);
    console.log(JSON.stringify({ name }));
  } catch (error) {
    console.log(JSON.stringify({ name, error: `${error?.stack ?? error}` }));
  } finally {
    cancel();
  }
}
