/**
 * Every case: a name, and a function of the context that throws when it fails.
 *
 * The context holds `graft` (the bundle's exports), `runtime` (its name), `url` and `tokens` of a server,
 * and a `directory` to write to.
 */

import assert from "node:assert/strict";
import { LITE_CLIENT_CASES } from "./lite_client_cases.mjs";
import { REPLICA_CASES } from "./replica_cases.mjs";

/** What process.versions says in a runtime. */
const VERSIONS = { "Node 20": ["node", "20."], "Node 24": ["node", "24."], Bun: ["bun", "1."] };

export const CASES = {
  "the runtime is the one that is meant"({ runtime }) {
    const [program, version] = VERSIONS[runtime];
    assert.ok(process.versions[program]?.startsWith(version), JSON.stringify(process.versions));
    assert.equal("bun" in process.versions, program === "bun");
  },
  ...LITE_CLIENT_CASES,
  ...REPLICA_CASES,
};
