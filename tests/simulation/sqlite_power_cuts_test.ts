import assert from "node:assert/strict";
import { SqlitePowerCuts } from "./sqlite_power_cuts.ts";

for (const hasServer of [false, true]) {
  const where = hasServer ? "pushed meanwhile" : "only here";
  Deno.test(`power is cut at each write of a database that is ${where}`, async () => {
    const cuts = await SqlitePowerCuts.create(hasServer);
    let promised = 0;
    let writes = 1;
    for (;; writes++) {
      const kept = await cuts.cut(writes, true);
      const lost = await cuts.cut(writes, false);
      if (kept === undefined || lost === undefined) break;
      promised = Math.max(promised, lost.promised);
    }
    assert.ok(writes > 7 && promised >= 6, `${writes} writes, ${promised} transactions`);
  });
}
