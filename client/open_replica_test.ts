import assert from "node:assert/strict";
import { startServer } from "../src/server/mod.ts";
import { errorOf, refusal, withServer, withV1Server } from "./_testing.ts";
import { openReplica } from "./open_replica.ts";

const VID = "GonwTRj2SohJzYLLjD9nSq";
const NOT_GRAFT = "Check the URL: what answers there does not speak the Graft protocol";

Deno.test("openReplica() refuses what is no storage, and bounds that are none", async () => {
  for (const storage of [5, null, {}, ["memory:"]]) {
    const error = await errorOf(
      openReplica("http://127.0.0.1:1", undefined, { storage } as object),
    );
    assert.equal(error.code, "invalid");
    assert.match(error.message, /^Cannot use .* as a storage: it is none$/);
  }
  for (const storageBytesMax of [0, -1, NaN, "5"]) {
    const options = { storageBytesMax } as object;
    const error = await errorOf(openReplica("http://127.0.0.1:1", undefined, options));
    assert.equal(error.code, "invalid");
    assert.match(error.message, /^Cannot bound a storage to /);
  }
});

Deno.test("openReplica() says where what answers is no Graft server", async () => {
  const page = () =>
    new Response("<h1>It works</h1>", { headers: { "content-type": "text/html" } });
  await withV1Server(page, async (url) => {
    const error = await errorOf(openReplica(url, VID));
    assert.deepEqual([error.code, error.hint], ["invalid", NOT_GRAFT]);
  });
  await withV1Server(() => new Response(null, { status: 404 }), async (url) => {
    const error = await errorOf(openReplica(url, VID));
    assert.deepEqual([error.code, error.hint], ["invalid", NOT_GRAFT]);
  });
});

Deno.test("openReplica() says where the path of the URL is not the server's", async () => {
  await using server = await startServer({
    listen: ["127.0.0.1:0"],
    log: "memory:",
    objects: "memory:",
  });
  const error = await errorOf(openReplica(`${server.urls[0]}/elsewhere`, VID));
  assert.deepEqual([error.code, error.hint], ["invalid", NOT_GRAFT]);
});

Deno.test("openReplica() names the address where nothing answers", async () => {
  const error = await errorOf(openReplica("http://127.0.0.1:1", VID, { deadlineMs: 1 }));
  assert.equal(error.code, "unavailable");
  assert.match(error.message, /http:\/\/127\.0\.0\.1:1\b/);
});

Deno.test("openReplica() speaks v0.1 where that is what answers", async () => {
  const answer = () => refusal("missing", "there is no such volume");
  await withServer(answer, async (url) => {
    const replica = await openReplica(url, VID);
    await replica.sync();
    assert.equal(replica.status().state, "synced");
    await replica.close();
  });
});
