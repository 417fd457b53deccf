import { deepEqual, equal, ok } from "node:assert/strict";
import { rejectsWith, sampleBytes } from "../_testing.ts";
import { s3Error, ScriptedStore } from "./_testing_store.ts";
import type { ScriptedAnswer, SeenRequest } from "./_testing_server.ts";

const BODY = sampleBytes(100);
const STORED: ScriptedAnswer = { status: 200 };
const TAKEN = s3Error(412, "PreconditionFailed");
const UNDECIDED = s3Error(409, "ConditionalRequestConflict");
const SKEWED = s3Error(403, "RequestTimeTooSkewed");
const SLOW_DOWN = s3Error(503, "SlowDown");
const OURS: ScriptedAnswer = { status: 200, body: BODY };
const OTHERS: ScriptedAnswer = { status: 200, body: sampleBytes(100, 2) };
const ABSENT = s3Error(404, "NoSuchKey");
/** Attempts whose answer was lost. */
const LOST: Record<string, ScriptedAnswer> = {
  "a lost answer": "drop",
  "a 500": s3Error(500, "InternalError"),
  "a 503": SLOW_DOWN,
};

type Put = (scripted: ScriptedStore) => Promise<void>;

/** Both kinds of conditional puts. */
const PUTS: Record<string, Put> = {
  "a put": ({ store }) => store.put("a", BODY, { ifAbsent: true }),
  "a dated put": ({ store }) => store.putDated("a", BODY, Date.now()),
};

for (const [name, put] of Object.entries(PUTS)) {
  for (const [reason, lost] of Object.entries(LOST)) {
    Deno.test(`${name} that meets its own bytes after ${reason} is stored`, async () => {
      await using scripted = ScriptedStore.answering(lost, TAKEN, OURS);
      await put(scripted);
      equal(scripted.server.methods, "PUT PUT GET");
    });

    Deno.test(`${name} that meets other bytes after ${reason} is a conflict`, async () => {
      await using scripted = ScriptedStore.answering(lost, TAKEN, OTHERS);
      await rejectsWith(put(scripted), "conflict", /"a" into s3.*taken/);
      equal(scripted.server.methods, "PUT PUT GET");
    });
  }

  Deno.test(`${name} is undecided when nobody can tell who took the key`, async () => {
    await using scripted = ScriptedStore.answering("drop", TAKEN, SLOW_DOWN);
    await rejectsWith(put(scripted), "unavailable", /nobody knows whether it was stored$/);
    equal(scripted.server.methods, "PUT PUT GET GET GET GET");
  });

  Deno.test(`${name} is undecided when the key is free again`, async () => {
    await using scripted = ScriptedStore.answering("drop", TAKEN, ABSENT);
    await rejectsWith(put(scripted), "unavailable", /the key was taken, and then free again$/);
  });

  Deno.test(`${name} tries again when the store cannot decide`, async () => {
    await using scripted = ScriptedStore.answering(UNDECIDED, UNDECIDED, STORED);
    await put(scripted);
    equal(scripted.server.methods, "PUT PUT PUT");
  });

  Deno.test(`${name} is no conflict when the store never decides`, async () => {
    await using scripted = ScriptedStore.answering(UNDECIDED);
    await rejectsWith(put(scripted), "unavailable", /409 ConditionalRequestConflict$/);
  });

  Deno.test(`${name} without any answer is undecided`, async () => {
    await using scripted = ScriptedStore.answering("drop");
    await rejectsWith(put(scripted), "unavailable");
    equal(scripted.server.methods, "PUT PUT PUT PUT");
  });

  Deno.test(`${name} that was refused as too old after a lost answer is looked up`, async () => {
    for (const [found, code] of [[OTHERS, "conflict"], [ABSENT, "unavailable"]] as const) {
      await using scripted = ScriptedStore.answering("drop", SKEWED, found);
      await rejectsWith(put(scripted), code);
      equal(scripted.server.methods, "PUT PUT GET");
    }
    await using scripted = ScriptedStore.answering("drop", SKEWED, OURS);
    await put(scripted);
  });

  Deno.test(`${name} of a taken key compares the bytes`, async () => {
    await using ours = ScriptedStore.answering(TAKEN, OURS);
    await put(ours);
    equal(ours.server.methods, "PUT GET");
    await using others = ScriptedStore.answering(TAKEN, OTHERS);
    await rejectsWith(put(others), "conflict", /"a" into s3.*taken/);
  });

  Deno.test(`${name} that the platform sends twice is stored`, async () => {
    const kept: ScriptedAnswer = { status: 204, headers: { connection: "keep-alive" } };
    await using scripted = ScriptedStore.answering(kept, "drop", TAKEN, OURS);
    await scripted.store.delete("b");
    await put(scripted);
    equal(scripted.server.methods, "DELETE PUT PUT GET");
    deepEqual(scripted.timers.pauses, []);
  });

  Deno.test(`${name} signs that the key has to be free`, async () => {
    await using scripted = ScriptedStore.answering(STORED);
    await put(scripted);
    const [{ headers, body }] = scripted.server.requests;
    equal(headers.get("if-none-match"), "*");
    ok(signedHeaders(headers).includes("if-none-match"));
    deepEqual(body, BODY);
  });
}

Deno.test("a put that replaces does not ask for a free key, and does not look", async () => {
  await using scripted = ScriptedStore.answering("drop", STORED);
  await scripted.store.put("a", BODY);
  equal(scripted.server.methods, "PUT PUT");
  equal(scripted.server.requests[1].headers.get("if-none-match"), null);
});

Deno.test("all attempts of a dated put have its date", async () => {
  await using scripted = ScriptedStore.answering("drop", SLOW_DOWN, STORED);
  await scripted.store.putDated("a", BODY, Date.UTC(2026, 0, 2, 3, 4, 5, 678));
  const dates = scripted.server.requests.map(({ headers }) => headers.get("x-amz-date"));
  deepEqual(dates, ["20260102T030405Z", "20260102T030405Z", "20260102T030405Z"]);
  ok(
    scripted.server.requests.every(({ headers }) => signedHeaders(headers).includes("x-amz-date")),
  );
  const [first, ...others] = scripted.server.requests.map(signatureOf);
  ok(first !== "" && others.every((signature) => signature === first));
});

Deno.test("a date that is too old is told as that, and stores nothing", async () => {
  await using scripted = ScriptedStore.answering(SKEWED);
  const put = scripted.store.putDated("a", BODY, Date.UTC(2026, 0, 2));
  await rejectsWith(put, "unavailable", /its date, 2026-01-02T00:00:00.000Z, is too long ago$/);
  equal(scripted.server.methods, "PUT");
});

Deno.test("a caller that gives up while its put is looked up is told so", async () => {
  await using scripted = ScriptedStore.answering(TAKEN, "hang");
  const controller = new AbortController();
  const put = scripted.store.putDated("a", BODY, Date.now(), { signal: controller.signal });
  await scripted.server.hanging;
  controller.abort();
  await rejectsWith(put, "aborted");
});

function signedHeaders(headers: Headers): readonly string[] {
  const authorization = headers.get("authorization") ?? "";
  return /SignedHeaders=([^,]+)/.exec(authorization)?.[1].split(";") ?? [];
}

function signatureOf({ headers }: SeenRequest): string {
  return /Signature=(\w+)/.exec(headers.get("authorization") ?? "")?.[1] ?? "";
}
