import { MemoryStore } from "../../objects/memory_store.ts";
import { testCommitLog } from "../_conformance.ts";
import { testedBucketLog } from "./_testing.ts";

testCommitLog("bucket in memory", () => {
  const store = new MemoryStore();
  return testedBucketLog(() => Promise.resolve(store));
});
