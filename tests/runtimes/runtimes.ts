/**
 * The runtimes of others that run the bundled client: which, in which version, and where they are.
 *
 * npx fetches them into npm's own cache, from which they run again without the network.
 *
 * @module
 */

/** The npm package of each runtime, in its exact version. */
export const RUNTIMES = {
  "Node 20": "node@20.20.2",
  "Node 24": "node@24.21.0",
  Bun: "bun@1.4.5",
} as const;

/** The name of a runtime. */
export type RuntimeName = keyof typeof RUNTIMES;

/** A cold cache takes a download of some 40 MB, and the registry may be slow. */
const FETCH_MS_MAX = 300_000;

/**
 * The path of a runtime's program.
 *
 * Not npx itself runs the tests: a signal to it does not reach the program.
 */
export async function runtimePath(name: RuntimeName): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("npx", {
    args: ["--yes", RUNTIMES[name], "-p", "process.execPath"],
    stdin: "null",
    signal: AbortSignal.timeout(FETCH_MS_MAX),
  }).output();
  const decoder = new TextDecoder();
  if (code !== 0) throw new Error(`Cannot fetch ${name}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout).trim();
}
