import assert from "node:assert/strict";
import { startServer } from "../../src/server/mod.ts";
import { errorOf } from "../_testing.ts";
import { openReplica } from "../open_replica.ts";
import { Bench, page, show, VID } from "./_testing.ts";

Deno.test("a server that does not know a volume any more is asked on, and nothing is lost", async () => {
  const bench = new Bench();
  await bench.commit({ 1: 1 });
  const replica = await bench.open();
  assert.deepEqual(await show(replica), [1]);
  const line = bench.server.forget(VID);
  await replica.transaction((tx) => tx.write(2, page(2)));
  await replica.sync().catch(() => {});
  bench.remote.connect(true);
  const error = await errorOf(replica.sync());
  assert.deepEqual([error.code, replica.status().state], ["missing", "unknown"]);
  assert.match(error.message, /test: does not know it, which was at LSN 1 here/);
  assert.match(error.hint ?? "", /Check the URL/);
  assert.deepEqual(await show(replica), [1, 2]);
  bench.server.restore(VID, line);
  await replica.sync();
  assert.equal(replica.status().state, "synced");
  assert.equal(bench.server.head(VID).snapshot.lsn, 2);
  await replica.close();
});

Deno.test("a volume that was deleted is not opened as a new one", async () => {
  await using server = await startServer({
    listen: ["127.0.0.1:0"],
    log: "memory:",
    objects: "memory:",
  });
  const [url] = server.urls;
  const writer = await openReplica(url);
  await writer.transaction((tx) => tx.write(1, page(1)));
  await writer.sync();
  await server.metastore.deleteVolume(writer.vid);
  const error = await errorOf(openReplica(url, writer.vid));
  assert.equal(error.code, "missing");
  assert.match(error.message, /deleted/);
  await assert.rejects(writer.sync(), { code: "missing" });
  assert.equal(writer.status().state, "deleted");
  await writer.close();
});
