import { deepEqual, equal } from "node:assert/strict";
import { diskWith, rejectsWith, sampleBytes, systemError, TemporaryDirectory } from "./_testing.ts";
import { openObjectStore } from "./open_object_store.ts";

Deno.test("memory: is memory", async () => {
  const store = await openObjectStore("memory:");
  await store.put("segments/a", sampleBytes(10));
  deepEqual(await store.get("segments/a"), sampleBytes(10));
  equal(store.name, "memory:");
  await store.close();
});

Deno.test("file: is a directory, absolute in both ways of writing", async () => {
  await using directory = await TemporaryDirectory.make();
  for (const url of [`file:${directory.path}/a`, `file://${directory.path}/a`]) {
    const store = await openObjectStore(url);
    equal(store.name, `file:${directory.path}/a`);
    await store.put("segments/a", sampleBytes(10));
    deepEqual(await Deno.readFile(`${directory.path}/a/segments/a`), sampleBytes(10));
    await store.close();
  }
});

Deno.test("file: may be relative, and takes any character", async () => {
  await using directory = await TemporaryDirectory.make();
  const path = `${directory.path}/with space%20:ä`;
  const up = Deno.cwd().split("/").slice(1).map(() => "..").join("/");
  const store = await openObjectStore(`file:${up}${path}`);
  equal(store.name, `file:${path}`);
  await store.close();
});

Deno.test("options reach the disk store", async () => {
  await using directory = await TemporaryDirectory.make();
  const url = `file:${directory.path}`;
  const onSyncFailure = (): never => {
    throw new Error("not here");
  };
  await rejectsWith(
    openObjectStore(url, { disk: { onSyncFailure, io: failingDisk() } }),
    "unavailable",
    /the disk is full/,
  );
});

function failingDisk() {
  return diskWith({
    makeDirectory() {
      throw systemError("ENOSPC");
    },
  });
}

for (
  const [url, state] of [
    ["s3://bucket/prefix", /no settings for S3$/],
    ["file:", /names no directory$/],
    ["file://host/directory", /names a host$/],
    ["memory:name", /memory has no name$/],
    ["", /names no kind of store$/],
    ["directory", /names no kind of store$/],
    ["https://example.com", /names no kind of store$/],
  ] as const
) {
  Deno.test(`"${url}" is refused with a reason`, async () => {
    await rejectsWith(openObjectStore(url), "invalid", state);
  });
}
