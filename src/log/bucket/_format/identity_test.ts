import { equal } from "node:assert/strict";
import { MemoryStore } from "../../../objects/memory_store.ts";
import { commit, newVolume } from "../../_testing.ts";
import type { CommitLog } from "../../commit_log.ts";
import { openBucket } from "../_testing.ts";

Deno.test("who comes second to an empty place joins the log that the first one made", async () => {
  const store = new MemoryStore();
  const list = store.list.bind(store);
  let first: CommitLog | undefined;
  store.list = async function* (...args) {
    if (first === undefined) {
      // between the look for an identity and the look for records
      store.list = list;
      first = await openBucket(store);
      await commit(first, newVolume());
    }
    yield* list(...args);
  };
  const second = await openBucket(store);
  equal(second.storeId, first?.storeId);
  await second.close();
  await first?.close();
});
