// Servers that start at the same moment on stores with nothing in them.

import assert from "node:assert/strict";
import { s3SettingsFrom } from "../../src/objects/s3/s3_settings.ts";
import { type GraftServer, startServer } from "../../src/server/mod.ts";
import { type Backend, BACKENDS } from "./_support/backend.ts";
import { SharedVolume } from "./_support/shared_volume.ts";

const SERVERS = 8;
const ROUNDS = 3;
const TOKEN = "DENO_KV_ACCESS_TOKEN";

/** Starts servers within this process: nothing but their own calls keeps them apart. */
async function startAtOnce(
  { args, env }: Backend,
  opened: AsyncDisposableStack,
): Promise<GraftServer[]> {
  const [, log, , objects] = args;
  const s3 = s3SettingsFrom(new Map(Object.entries(env)));
  const starting = Array.from({ length: SERVERS }, async () => {
    const data = await Deno.makeTempDir({ prefix: "graft-starting-" });
    opened.defer(() => Deno.remove(data, { recursive: true }));
    return opened.use(await startServer({ listen: ["127.0.0.1:0"], log, objects, s3, data }));
  });
  await Promise.allSettled(starting);
  return await Promise.all(starting);
}

for (const kind of BACKENDS) {
  Deno.test(`${SERVERS} servers that start at once on ${kind.name} serve one store`, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      await using opened = new AsyncDisposableStack();
      const backend = opened.use(await kind.open());
      // the program's own variable is the only way to hand this over
      Deno.env.set(TOKEN, backend.env[TOKEN] ?? "");
      const servers = await startAtOnce(backend, opened);
      const stores = servers.map(({ urls: [url] }) => ({ url }));
      const volume = new SharedVolume();
      for (const store of stores) await volume.write(store, store, [1, 2]);
      for (const store of stores) await volume.assertReads(store);
      assert.equal(volume.head, SERVERS);
    }
  });
}
