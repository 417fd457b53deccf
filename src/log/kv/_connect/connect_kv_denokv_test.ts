// The client on a real server, next to Deno's own.

import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { DenoKvServer } from "../../../../tests/harness/programs/denokv.ts";
import { isGraftError } from "../../../core/errors.ts";
import { REMOTE_LIMITS, VALUE_BYTES_MAX } from "../_limits.ts";
import { connectTo } from "../_testing.ts";
import type { ConnectKv } from "./connect_kv.ts";

let server: DenoKvServer;
let own: ConnectKv;
let denos: Deno.Kv;

Deno.test.beforeAll(async () => {
  server = await DenoKvServer.start();
  Deno.env.set("DENO_KV_ACCESS_TOKEN", server.accessToken);
  own = connectTo(server);
  denos = await Deno.openKv(server.url);
});
Deno.test.afterAll(async () => {
  own.close();
  denos.close();
  await server[Symbol.asyncDispose]();
});

const KEY = ["record", "GonwTRj2SohJzYLLjD9nSq", 7];
const VALUE = Uint8Array.of(1, 2, 3);

Deno.test("what the one writes the other reads", async () => {
  const written = await own.atomic().set([...KEY, "own"], VALUE).commit();
  ok(written.ok);
  const read = await denos.get([...KEY, "own"]);
  deepEqual(read, { key: [...KEY, "own"], value: VALUE, versionstamp: written.versionstamp });
  const other = await denos.set([...KEY, "deno's"], VALUE);
  deepEqual(await own.get([...KEY, "deno's"]), {
    key: [...KEY, "deno's"],
    value: VALUE,
    versionstamp: other.versionstamp,
  });
});

Deno.test("a list is the same, in batches of any size", async () => {
  for (let i = 0; i < 25; i++) await denos.set(["list", i - 5, "é\0"], Uint8Array.of(i));
  await denos.set(["list", true], VALUE);
  await denos.set(["list", new Uint8Array([0, 255])], VALUE);
  const range = { start: ["list"], end: ["list", true] };
  const expected = await Array.fromAsync(denos.list(range));
  ok(expected.length >= 25);
  for (const batchSize of [1, 7, 26, 100]) {
    deepEqual(await Array.fromAsync(own.list(range, { batchSize })), expected);
  }
  deepEqual(await Array.fromAsync(own.list(range, { limit: 3 })), expected.slice(0, 3));
  deepEqual(await Array.fromAsync(own.list({ start: ["none"], end: ["none", true] })), []);
});

Deno.test("several values come as asked for, also those that are not there", async () => {
  await denos.set(["many", 1], VALUE);
  const found = await own.getMany([["many", 0], ["many", 1], ["many", 2]]);
  deepEqual(found.map(({ value }) => value), [null, VALUE, null]);
  deepEqual(found[0], { key: ["many", 0], value: null, versionstamp: null });
});

Deno.test("checks hold or fail, and deletions delete", async () => {
  const key = ["checked"];
  const set = (versionstamp: string | null) =>
    own.atomic().check({ key, versionstamp }).set(key, VALUE).commit();
  const first = await set(null);
  ok(first.ok);
  equal((await set(null)).ok, false);
  equal((await set(first.versionstamp)).ok, true);
  equal((await own.atomic().delete(key).commit()).ok, true);
  equal((await denos.get(key)).versionstamp, null);
});

Deno.test("the versionstamp of a write ends a key, and entries expire", async () => {
  const written = await own.atomic()
    .set(["stamped", own.commitVersionstamp()], VALUE, { expireIn: 60_000 }).commit();
  ok(written.ok);
  const [entry] = await Array.fromAsync(denos.list({ prefix: ["stamped"] }));
  deepEqual(entry.key, ["stamped", written.versionstamp]);
});

Deno.test("a batch of full size is taken", async () => {
  const atomic = own.atomic();
  for (let i = 0; i < REMOTE_LIMITS.checks; i++) {
    atomic.check({ key: ["full", i], versionstamp: null });
  }
  const values = Math.floor(REMOTE_LIMITS.bytes / VALUE_BYTES_MAX) - 1;
  for (let i = 0; i < REMOTE_LIMITS.mutations; i++) {
    atomic.set(["full", i], new Uint8Array(i < values ? VALUE_BYTES_MAX : 8));
  }
  equal((await atomic.commit()).ok, true);
});

Deno.test("values of others are no bytes", async () => {
  await denos.set(["text"], "text");
  const { value, versionstamp } = await own.get(["text"]);
  equal(value, undefined);
  ok(versionstamp !== null);
});

Deno.test("a watch rings at once, and when somebody sets the key", async () => {
  const reader = own.watch([["bell"]]).getReader();
  await reader.read();
  for (let i = 0; i < 3; i++) {
    const rung = reader.read();
    await denos.set(["bell"], Uint8Array.of(i));
    equal((await rung).done, false);
  }
  await reader.cancel();
});

Deno.test("a wrong token is refused at once", async () => {
  const { url } = server;
  const kv = connectTo({ url, accessToken: "somebody else's token" });
  await rejects(kv.connect(), (error: unknown) => isGraftError(error, "unauthorized"));
  kv.close();
});
