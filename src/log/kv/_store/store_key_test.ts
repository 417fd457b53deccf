import { equal } from "node:assert/strict";
import { commit, newVolume, openOver } from "../../_testing.ts";
import type { CommitLog } from "../../commit_log.ts";
import type { KvHandle } from "../kv_handle.ts";

Deno.test("who comes second to an empty store joins the log that the first one made", async () => {
  const kv = await Deno.openKv(":memory:");
  let first: CommitLog | undefined;
  const late: KvHandle = {
    get: (key) => kv.get(key),
    getMany: (keys) => kv.getMany<unknown[]>([...keys]),
    list: async function* (range, options) {
      // between the look for an id and the look for other keys
      first ??= await openOver(kv).then(async (log) => (await commit(log, newVolume()), log));
      yield* kv.list(range, options);
    },
    atomic: () => kv.atomic(),
    watch: (keys) => kv.watch([...keys]),
    commitVersionstamp: () => kv.commitVersionstamp(),
    close: () => {},
  };
  const second = await openOver(late);
  equal(second.storeId, first?.storeId);
  await second.close();
  await first?.close();
});
