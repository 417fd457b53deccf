import { testCommitLog } from "../_conformance.ts";
import { testedKvLog } from "../_testing.ts";
import { PartOfKv, testedSharedLog } from "./_testing.ts";

testCommitLog("memory", () => testedKvLog("memory"));
testCommitLog("file", () => testedKvLog("file"));
testCommitLog("a store that others write to", async () => {
  const kv = await Deno.openKv(":memory:");
  return await testedSharedLog(() => new PartOfKv(kv, "log"), () => kv.close());
});
