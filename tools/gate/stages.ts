/**
 * The checks of the gate that are not tests.
 *
 * @module
 */

/** One check: a command of this Deno that must succeed. */
export interface Stage {
  /** What it is called in the report. */
  readonly name: string;
  /** The arguments of `deno`. */
  readonly args: readonly string[];
}

/** Every check, in order. The lock file comes first: the rest fetches what it names. */
export const STAGES: readonly Stage[] = [
  { name: "lock file", args: ["install", "--frozen", "--quiet"] },
  { name: "format", args: ["fmt", "--check"] },
  { name: "lint", args: ["lint"] },
  { name: "types", args: ["check", "--frozen"] },
  { name: "wasm is fresh", args: ["run", "--allow-all", "--frozen", "wasm/build.ts", "--check"] },
  { name: "publish", args: ["publish", "--dry-run", "--allow-dirty"] },
  { name: "bundle", args: ["run", "--allow-all", "--frozen", "tools/bundle.ts", "--check"] },
];
