/**
 * Variables of the surroundings.
 *
 * @module
 */

/** What `serve` reads: its flags in capitals behind this. */
export const SERVE_PREFIX = "GRAFT_SERVE_";

/**
 * The value of a variable. An empty one counts as unset, as that is the only way in which some supervisors
 * can take one away.
 */
export function readVariable(name: string): string | undefined {
  return Deno.env.get(name) || undefined;
}

/** The names and values of all variables that begin with `prefix` and are not empty. */
export function readVariables(prefix: string): Map<string, string> {
  const entries = Object.entries(Deno.env.toObject());
  return new Map(entries.filter(([name, value]) => name.startsWith(prefix) && value !== ""));
}
