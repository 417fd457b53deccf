import { deepEqual, equal } from "node:assert/strict";
import { rejectsWith, sampleBytes } from "../_testing.ts";
import { s3Error, ScriptedStore } from "./_testing_store.ts";
import type { ScriptedAnswer, WrittenAnswer } from "./_testing_server.ts";

const OBJECT = sampleBytes(100);
const WHOLE: ScriptedAnswer = { status: 200, body: OBJECT };
const HEAD: ScriptedAnswer = { status: 200, headers: { "content-length": "100" } };
const NONE = s3Error(404, "NoSuchKey");

function part(first: number, end: number, size: number | string = 100): WrittenAnswer {
  return {
    status: 206,
    headers: { "content-range": `bytes ${first}-${end - 1}/${size}` },
    body: OBJECT.slice(first, end),
  };
}

function beyond(size: number | undefined): ScriptedAnswer {
  const headers: Record<string, string> = size === undefined
    ? {}
    : { "content-range": `bytes */${size}` };
  return { ...s3Error(416, "InvalidRange"), headers };
}

Deno.test("a range is asked for with both ends, a tail with its length", async () => {
  await using scripted = ScriptedStore.answering(part(10, 30), part(60, 100));
  deepEqual(await scripted.store.getRange("a", 10, 20), OBJECT.slice(10, 30));
  deepEqual(await scripted.store.getTail("a", 40), { bytes: OBJECT.slice(60), sizeBytes: 100 });
  const ranges = scripted.server.requests.map(({ headers }) => headers.get("range"));
  deepEqual(ranges, ["bytes=10-29", "bytes=-40"]);
});

Deno.test("a store that does not know ranges sends the whole object", async () => {
  await using scripted = ScriptedStore.answering(WHOLE);
  deepEqual(await scripted.store.getRange("a", 10, 20), OBJECT.slice(10, 30));
  deepEqual(await scripted.store.getRange("a", 0, 100), OBJECT);
  deepEqual(await scripted.store.getTail("a", 40), { bytes: OBJECT.slice(60), sizeBytes: 100 });
  deepEqual(await scripted.store.getTail("a", 400), { bytes: OBJECT, sizeBytes: 100 });
  await rejectsWith(scripted.store.getRange("a", 90, 20), "damaged", /the object has 100 bytes/);
});

Deno.test("a range that ends behind the object is damage", async () => {
  await using scripted = ScriptedStore.answering(part(90, 100));
  await rejectsWith(scripted.store.getRange("a", 90, 20), "damaged", /the object has 100 bytes/);
});

Deno.test("a range that starts behind the object is damage, whether the store tells its size", async () => {
  await using told = ScriptedStore.answering(beyond(100));
  await rejectsWith(told.store.getRange("a", 200, 1), "damaged", /the object has 100 bytes/);
  equal(told.server.methods, "GET");
  await using silent = ScriptedStore.answering(beyond(undefined), HEAD);
  await rejectsWith(silent.store.getRange("a", 200, 1), "damaged", /the object has 100 bytes/);
  equal(silent.server.methods, "GET HEAD");
});

Deno.test("an object that vanishes between two requests is missing", async () => {
  await using scripted = ScriptedStore.answering(beyond(undefined), NONE, { status: 200 });
  await rejectsWith(scripted.store.getRange("a", 200, 1), "missing");
  equal(scripted.server.methods, "GET HEAD HEAD");
});

Deno.test("the tail of an empty object is empty, however the store says so", async () => {
  const answers: ScriptedAnswer[][] = [
    [beyond(0)],
    [beyond(undefined), { status: 200 }],
    [{ status: 200 }],
    [{ status: 206, headers: { "content-range": "bytes 0--1/0" } }],
  ];
  for (const answer of answers) {
    await using scripted = ScriptedStore.answering(...answer);
    const empty = { bytes: new Uint8Array(0), sizeBytes: 0 };
    deepEqual(await scripted.store.getTail("a", 60), empty);
  }
});

Deno.test("a tail or a range of no byte moves none", async () => {
  await using scripted = ScriptedStore.answering(HEAD);
  deepEqual(await scripted.store.getTail("a", 0), { bytes: new Uint8Array(0), sizeBytes: 100 });
  deepEqual(await scripted.store.getRange("a", 100, 0), new Uint8Array(0));
  await rejectsWith(scripted.store.getRange("a", 101, 0), "damaged");
  equal(scripted.server.methods, "HEAD HEAD HEAD");
});

for (
  const [name, answer] of [
    ["fewer bytes than it says", { ...part(10, 30), body: OBJECT.slice(10, 29) }],
    ["more bytes than it says", { ...part(10, 30), body: OBJECT.slice(10, 31) }],
    ["no range", { ...part(10, 30), headers: {} }],
    ["a range of an unknown whole", part(10, 30, "*")],
    ["a range beyond the whole", part(10, 30, 29)],
    ["a range that ends before it starts", {
      ...part(10, 10),
      headers: { "content-range": "bytes 9-3/100" },
    }],
    ["nonsense", { ...part(10, 30), headers: { "content-range": "bytes all of them" } }],
  ] as const satisfies readonly (readonly [string, ScriptedAnswer])[]
) {
  Deno.test(`an answer with ${name} is not taken, and asked for again`, async () => {
    await using scripted = ScriptedStore.answering(answer, part(10, 30));
    deepEqual(await scripted.store.getRange("a", 10, 20), OBJECT.slice(10, 30));
    equal(scripted.server.methods, "GET GET");
  });
}

Deno.test("a range that starts elsewhere is not taken", async () => {
  await using scripted = ScriptedStore.answering(part(11, 31));
  await rejectsWith(scripted.store.getRange("a", 10, 20), "unavailable", /another range$/);
});

Deno.test("nothing is read of an answer that is far too long", async () => {
  const headers = { "content-range": "bytes 10-29/100", "content-length": "1000000000000" };
  const endless: ScriptedAnswer = { status: 206, headers, body: OBJECT, hangAfter: 100 };
  await using scripted = ScriptedStore.answering(endless, part(10, 30));
  deepEqual(await scripted.store.getRange("a", 10, 20), OBJECT.slice(10, 30));
  await scripted.server.hungUp;
});

Deno.test("a tail that is not the end is not taken", async () => {
  for (const answer of [part(50, 90), part(70, 100)]) {
    await using scripted = ScriptedStore.answering(answer);
    await rejectsWith(scripted.store.getTail("a", 40), "unavailable", /another range$/);
  }
});

Deno.test("a missing bucket is no missing object", async () => {
  const gone = s3Error(404, "NoSuchBucket");
  await using scripted = ScriptedStore.answering(gone);
  const { store } = scripted;
  for (
    const call of [
      () => store.get("a"),
      () => store.getRange("a", 0, 1),
      () => store.getRange("a", 0, 0),
      () => store.getTail("a", 1),
      () => store.head("a"),
      () => store.delete("a"),
      () => store.put("a", OBJECT),
      () => store.put("a", OBJECT, { ifAbsent: true }),
      () => store.putDated("a", OBJECT, Date.now()),
      () => Array.fromAsync(store.list("")),
      () => store.check(),
    ]
  ) {
    await rejectsWith(call(), "unavailable", /there is no bucket "bucket"$/);
  }
});

Deno.test("an object that is not there is missing, gone, or nothing to delete", async () => {
  const answers = [NONE, { status: 200 }, NONE, NONE, NONE];
  await using scripted = ScriptedStore.answering(...answers);
  equal(await scripted.store.head("a"), undefined);
  await scripted.store.delete("a");
  await rejectsWith(scripted.store.get("a"), "missing");
  await rejectsWith(scripted.store.getTail("a", 5), "missing");
  equal(scripted.server.methods, "HEAD HEAD DELETE GET GET");
});

Deno.test("a key that may not see the bucket can still look up what is not there", async () => {
  await using scripted = ScriptedStore.answering({ status: 404 }, { status: 403 });
  equal(await scripted.store.head("a"), undefined);
  equal(scripted.server.methods, "HEAD HEAD");
});

Deno.test("a 404 without a reason is neither a missing object nor a deleted one", async () => {
  await using scripted = ScriptedStore.answering({ status: 404, body: "<html>Not here</html>" });
  await rejectsWith(scripted.store.get("a"), "internal", /the store answered 404$/);
  await rejectsWith(scripted.store.delete("a"), "internal", /the store answered 404$/);
});
