import { deepEqual, equal, ok } from "node:assert/strict";
import { systemClock } from "../../core/clock.ts";
import { isGraftError } from "../../core/errors.ts";
import { collect, RecordedMetrics, sampleBytes } from "../_testing.ts";
import { openObjectStore } from "../open_object_store.ts";
import { partsFor, S3_KINDS, S3Servers } from "./_testing.ts";
import type { S3StoreParts } from "./s3_store_parts.ts";
import { openS3Store } from "./s3_store.ts";

const servers = new S3Servers();
Deno.test.afterAll(() => servers[Symbol.asyncDispose]());

async function refusalOf(address: string, parts: S3StoreParts): Promise<string> {
  const error = await openS3Store(address, parts).then(() => undefined, (error) => error);
  ok(isGraftError(error, "unavailable"), `not refused: ${error}`);
  ok(error.hint !== undefined && error.message.startsWith(`Cannot open ${address}: `));
  return error.message.slice(`Cannot open ${address}: `.length);
}

for (const kind of S3_KINDS) {
  Deno.test(`${kind}: what is wrong is told at the opening`, async (t) => {
    const server = await servers.get(kind);
    const env = server.env();
    const address = `s3://${await server.makeBucket()}/some/place`;
    await t.step("a missing bucket", async () => {
      const state = await refusalOf("s3://graft-nowhere/some/place", partsFor(env));
      equal(state, 'there is no bucket "graft-nowhere"');
    });
    await t.step("an unknown key", async () => {
      const parts = partsFor({ ...env, AWS_ACCESS_KEY_ID: "nobody" });
      equal(await refusalOf(address, parts), 'the store does not know the access key "nobody"');
    });
    await t.step("a wrong secret", async () => {
      const parts = partsFor({ ...env, AWS_SECRET_ACCESS_KEY: "guessed" });
      const state = 'the secret does not belong to the access key "graft-test"';
      equal(await refusalOf(address, parts), state);
    });
    await t.step("a token that belongs to nothing", async () => {
      const parts = partsFor({ ...env, AWS_SESSION_TOKEN: "token" });
      equal(await refusalOf(address, parts), "the session token is not valid, or no longer");
    });
    for (const skewMs of [-20 * 60_000, 20 * 60_000]) {
      await t.step(`a clock that is ${skewMs / 60_000} minutes ahead`, async () => {
        const clock = { ...systemClock, now: () => Date.now() + skewMs };
        const state = await refusalOf(address, partsFor(env, { clock }));
        ok(/^this machine's clock says 2.*Z, and the store's 2.*Z$/.test(state), state);
      });
    }
  });

  Deno.test(`${kind}: a store is opened by its URL, with one request`, async () => {
    const server = await servers.get(kind);
    const name = `s3://${await server.makeBucket()}/some/place`;
    const metrics = new RecordedMetrics();
    const store = await openObjectStore(`${name}/`, { s3: partsFor(server.env(), { metrics }) });
    equal(store.name, name);
    deepEqual(Object.fromEntries(metrics.counters), { "s3_requests_total{objects,list,2xx}": 1 });
    await store.close();
  });

  Deno.test(`${kind}: stores of one bucket with other prefixes do not see each other`, async () => {
    const server = await servers.get(kind);
    const bucket = await server.makeBucket();
    const parts = partsFor(server.env());
    const root = await openS3Store(`s3://${bucket}`, parts);
    const place = await openS3Store(`s3://${bucket}/place`, parts);
    const beside = await openS3Store(`s3://${bucket}/place-b`, parts);
    await root.put("root", sampleBytes(1));
    await place.put("a", sampleBytes(2));
    await beside.put("a", sampleBytes(3));
    const keys = async (store: typeof root) =>
      (await collect(store.list(""))).map(({ key, sizeBytes }) => `${key} ${sizeBytes}`);
    deepEqual(await keys(place), ["a 2"]);
    deepEqual(await keys(beside), ["a 3"]);
    deepEqual(await keys(root), ["place-b/a 3", "place/a 2", "root 1"]);
    for (const store of [root, place, beside]) await store.close();
  });

  Deno.test(`${kind}: a listing of more than a page is whole, and a short one is one request`, async () => {
    const metrics = new RecordedMetrics();
    const store = await servers.openStore(kind, { metrics });
    const keys = Array.from({ length: 1003 }, (_, i) => `segments/${String(i).padStart(4, "0")}`);
    const left = [...keys];
    const put = async () => {
      for (let key = left.pop(); key !== undefined; key = left.pop()) {
        await store.put(key, sampleBytes(1));
      }
    };
    await Promise.all(Array.from({ length: 16 }, put));
    deepEqual((await collect(store.list("segments/"))).map(({ key }) => key), keys);
    const after = (await collect(store.list("segments/", { after: "segments/0001" }))).length;
    equal(after, 1001);
    const listings = () => metrics.counters.get("s3_requests_total{objects,list,2xx}");
    const before = listings() ?? 0;
    deepEqual(await collect(store.list("segments/", { limit: 1, after: "segments/0500" })), [
      { key: "segments/0501", sizeBytes: 1 },
    ]);
    equal(listings(), before + 1);
    await store.close();
  });
}

Deno.test("versitygw: a wrong region is told at the opening", async () => {
  const server = await servers.get("versitygw");
  const address = `s3://${await server.makeBucket()}`;
  const parts = partsFor({ ...server.env(), AWS_REGION: "eu-west-1" });
  const state = 'the bucket is in the region "us-east-1", not in "eu-west-1"';
  equal(await refusalOf(address, parts), state);
});
