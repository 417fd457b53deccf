import assert from "node:assert/strict";
import { isGraftError } from "../../src/core/errors.ts";
import { openStorage } from "./open_storage.ts";

Deno.test("a URL names the storage", async () => {
  const folder = await Deno.makeTempDir({ prefix: "graft-storage-" });
  for (const url of ["memory:", `sqlite:${folder}/a b.db`]) {
    const storage = await openStorage(url);
    assert.equal(storage.name, url);
    await storage.close();
  }
  assert.ok((await Deno.stat(`${folder}/a b.db`)).isFile);
  await Deno.remove(folder, { recursive: true });
});

for (
  const [url, state] of [
    ...["", "memory", "memory:x", "sqlite", "file:/x", "constructor:x", "/x"].map((name) =>
      [name, "there is none of that name"] as const
    ),
    ["sqlite:", 'nothing stands behind "sqlite:"'],
    ["idb:", 'nothing stands behind "idb:"'],
  ] as const
) {
  Deno.test(`"${url}" names no storage`, async () => {
    await assert.rejects(openStorage(url), (error: unknown) => {
      assert.ok(isGraftError(error, "invalid"), `${error}`);
      assert.equal(
        error.message,
        `Cannot open the storage "${url}": ${state}`,
      );
      assert.match(error.hint ?? "", /memory:, sqlite:PATH/);
      return true;
    });
  });
}

for (
  const [url, state] of [
    ["opfs:a", /this is no dedicated worker$/],
    ["opfs:a/b", /the name is not a plain one$/],
    ["idb:a", /there is no IndexedDB here$/],
    ["idb:.a", /the name is not a plain one$/],
  ] as const
) {
  Deno.test(`"${url}" is refused outside a browser`, async () => {
    await assert.rejects(openStorage(url), (error: unknown) => {
      assert.ok(isGraftError(error, "invalid"), `${error}`);
      assert.match(error.message, state);
      assert.ok(error.hint !== undefined);
      return true;
    });
  });
}
