import assert from "node:assert/strict";
import { startServer } from "../../../src/server/mod.ts";
import { openReplica } from "../../open_replica.ts";
import { page, show } from "../_testing.ts";

Deno.test("a volume is opened as it was, and stays so", async () => {
  await using server = await startServer({
    listen: ["127.0.0.1:0"],
    log: "memory:",
    objects: "memory:",
  });
  const [url] = server.urls;
  await using writer = await openReplica(url);
  for (const fill of [1, 2, 3]) {
    await writer.transaction((tx) => tx.write(fill, page(fill)));
    await writer.sync();
  }
  await using past = await openReplica(url, writer.vid, { at: 2 });
  assert.deepEqual(await show(past), [1, 2]);
  await writer.transaction((tx) => tx.write(1, page(9)));
  await writer.sync();
  await past.sync();
  assert.deepEqual([await show(past), past.status().state, past.isReadOnly], [
    [1, 2],
    "synced",
    true,
  ]);
  await assert.rejects(past.transaction((tx) => tx.write(1, page(7))), { code: "forbidden" });
  await using newest = await openReplica(url, writer.vid, { at: new Date(Date.now() + 60_000) });
  assert.deepEqual(await show(newest), [9, 2, 3]);
});

Deno.test("what has no past is refused", async () => {
  await using server = await startServer({
    listen: ["127.0.0.1:0"],
    log: "memory:",
    objects: "memory:",
  });
  const [url] = server.urls;
  await using writer = await openReplica(url);
  await writer.transaction((tx) => tx.write(1, page(1)));
  await writer.sync();
  const open = (vid: string | undefined, at: number | Date | string, storage?: string) =>
    openReplica(url, vid, { at, storage });
  await assert.rejects(open(undefined, 1), { code: "invalid" });
  await assert.rejects(open(writer.vid, 1, "idb:x"), { code: "invalid" });
  await assert.rejects(open(writer.vid, 7), { code: "missing" });
  await assert.rejects(open(writer.vid, "9h"), { code: "missing" });
  await assert.rejects(open(writer.vid, "once"), { code: "invalid" });
  await assert.rejects(open(writer.vid, new Date(NaN)), { code: "invalid" });
});
