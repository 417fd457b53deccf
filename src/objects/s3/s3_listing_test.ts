import { deepEqual, equal } from "node:assert/strict";
import { collect, rejectsWith } from "../_testing.ts";
import { s3Error, ScriptedStore } from "./_testing_store.ts";
import type { ScriptedAnswer, WrittenAnswer } from "./_testing_server.ts";

/** A page of a listing. */
function page(keys: readonly string[], next?: string): WrittenAnswer & { readonly body: string } {
  const contents = keys.map((key) =>
    `<Contents><Key>${key}</Key><LastModified>2026-01-02T03:04:05Z</LastModified>` +
    `<ETag>&#34;x&#34;</ETag><Size>${key.length}</Size></Contents>`
  );
  const more = next === undefined
    ? "<IsTruncated>false</IsTruncated>"
    : `<IsTruncated>true</IsTruncated><NextContinuationToken>${next}</NextContinuationToken>`;
  return {
    status: 200,
    body: `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult>${more}${
      contents.join("")
    }</ListBucketResult>`,
  };
}

function queries({ server }: ScriptedStore): Record<string, string>[] {
  return server.requests.map(({ url }) => Object.fromEntries(url.searchParams));
}

Deno.test("a listing asks for what it wants, below the store's prefix", async () => {
  await using scripted = ScriptedStore.answering(page(["some/place/m/b"]));
  const listed = await collect(scripted.store.list("m/", { after: "m/a", limit: 7 }));
  deepEqual(listed, [{ key: "m/b", sizeBytes: 14 }]);
  deepEqual(queries(scripted), [{
    "list-type": "2",
    prefix: "some/place/m/",
    "max-keys": "7",
    "start-after": "some/place/m/a",
  }]);
});

Deno.test("a listing follows the pages, and starts only the first one after a key", async () => {
  const pages = [page(["some/place/b"], "first+/="), page([], "second"), page(["some/place/c"])];
  await using scripted = ScriptedStore.answering(...pages);
  const listed = await collect(scripted.store.list("", { after: "a" }));
  deepEqual(listed.map(({ key }) => key), ["b", "c"]);
  deepEqual(queries(scripted).map((query) => [query["start-after"], query["continuation-token"]]), [
    ["some/place/a", undefined],
    [undefined, "first+/="],
    [undefined, "second"],
  ]);
});

Deno.test("a listing without sizes is none", async () => {
  const { status, body } = page(["some/place/a"]);
  for (const size of ["", "<Size></Size>", "<Size>many</Size>", "<Size>-1</Size>"]) {
    const answer = { status, body: body.replace(/<Size>.*<\/Size>/, size) };
    await using scripted = ScriptedStore.answering(answer);
    await rejectsWith(
      collect(scripted.store.list("")),
      "internal",
      /the store's answer is no listing/,
    );
  }
});

Deno.test("a listing that has enough asks for no more", async () => {
  await using scripted = ScriptedStore.answering(page(["some/place/a", "some/place/b"], "next"));
  equal((await collect(scripted.store.list("", { limit: 2 }))).length, 2);
  for await (const _entry of scripted.store.list("")) break;
  equal(scripted.server.methods, "GET GET");
});

Deno.test("a listing of nothing sends nothing", async () => {
  await using scripted = ScriptedStore.answering(page([]));
  deepEqual(await collect(scripted.store.list("", { limit: 0 })), []);
  deepEqual(await collect(scripted.store.list("../", {})), []);
  equal(scripted.server.methods, "");
});

Deno.test("what is no key of ours is left out, and does not count", async () => {
  const keys = ["some/place/", "some/place/a b", "some/place/a&amp;b", "some/place/b"];
  await using scripted = ScriptedStore.answering(page(keys, "next"), page(["some/place/c"]));
  const listed = await collect(scripted.store.list("", { limit: 2 }));
  deepEqual(listed.map(({ key }) => key), ["b", "c"]);
});

for (
  const [name, pages] of [
    ["lists in another order", [page(["some/place/b"], "next"), page(["some/place/a"])]],
    ["lists a page twice", [page(["some/place/b"], "next"), page(["some/place/b"])]],
    ["lists what is not below the prefix", [page(["some/where/b"])]],
    ["lists what is not after the key", [page(["some/place/0"])]],
  ] as const
) {
  Deno.test(`a store that ${name} is not believed`, async () => {
    await using scripted = ScriptedStore.answering(...pages);
    const listing = collect(scripted.store.list("", { after: "1" }));
    await rejectsWith(listing, "internal", /the store lists/);
  });
}

Deno.test("half a listing is asked for again", async () => {
  const whole = page(["some/place/a", "some/place/b"]);
  const half = { ...whole, body: whole.body.slice(0, 220) };
  await using scripted = ScriptedStore.answering(half, { ...whole, dropAfter: 100 }, whole);
  equal((await collect(scripted.store.list(""))).length, 2);
  equal(scripted.server.methods, "GET GET GET");
});

Deno.test("a page that is no listing is not taken for an empty one", async () => {
  const answers: ScriptedAnswer[] = [
    { status: 200, body: "<html>Welcome</html>" },
    { status: 200, body: "" },
    { status: 200, body: "<Other></ListBucketResult>" },
    page(["some/place/a"], ""),
  ];
  for (const answer of answers) {
    await using scripted = ScriptedStore.answering(answer);
    const error = await collect(scripted.store.list("")).then(() => undefined, (error) => error);
    equal(error?.name, "GraftError");
  }
});

Deno.test("pages that lead nowhere are no reason to ask for ever", async () => {
  const nextTokens = ["first", "second", "second", undefined];
  await using scripted = ScriptedStore.answering(...nextTokens.map((next) => page([], next)));
  await rejectsWith(collect(scripted.store.list("")), "unavailable", /a listing without end/);
  equal(scripted.server.methods, "GET GET GET");
});

Deno.test("a page is read up to a bound", async () => {
  const whole = page([]);
  const body = whole.body.replace("<Is", `${" ".repeat(9_000_000)}<Is`);
  await using scripted = ScriptedStore.answering({ ...whole, body });
  await rejectsWith(collect(scripted.store.list("")), "unavailable", /more than 8388608 bytes/);
});

Deno.test("a listing that breaks off later is an error, not an end", async () => {
  const pages = [page(["some/place/a"], "next"), s3Error(404, "NoSuchBucket")];
  await using scripted = ScriptedStore.answering(...pages);
  const entries = scripted.store.list("");
  equal((await entries.next()).value?.key, "a");
  await rejectsWith(entries.next(), "unavailable", /there is no bucket/);
});

Deno.test("a caller that gives up ends the listing under way", async () => {
  await using scripted = ScriptedStore.answering("hang");
  const controller = new AbortController();
  const listing = collect(scripted.store.list("", { signal: controller.signal }));
  await scripted.server.hanging;
  controller.abort();
  await rejectsWith(
    listing,
    "aborted",
    /^Cannot list "" of s3:\/\/bucket\/some\/place: the caller/,
  );
  await scripted.server.hungUp;
});
