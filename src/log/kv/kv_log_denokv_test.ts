// The log over KV Connect, on a real server.

import { DenoKvServer } from "../../../tests/harness/programs/denokv.ts";
import { testCommitLog } from "../_conformance.ts";
import { testedPart } from "./_testing.ts";

let server: DenoKvServer;

Deno.test.beforeAll(async () => {
  server = await DenoKvServer.start();
});
Deno.test.afterAll(() => server[Symbol.asyncDispose]());

testCommitLog("denokv", testedPart(() => server));
