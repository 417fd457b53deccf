/**
 * Which Graft this is.
 *
 * @module
 */

import config from "../../../deno.json" with { type: "json" };

/** The version, as `deno.json` has it: there and nowhere else. */
export const VERSION: string = config.version;
