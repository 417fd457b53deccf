/**
 * Where the browser is that the tests drive.
 *
 * @module
 */

/** The path of the browser: `GRAFT_TEST_CHROMIUM`, else Debian's. */
export function chromiumPath(env: { get(name: string): string | undefined } = Deno.env): string {
  return env.get("GRAFT_TEST_CHROMIUM") ?? "/usr/bin/chromium";
}
