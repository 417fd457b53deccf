import { deepEqual, equal, ok } from "node:assert/strict";
import { isGraftError } from "../../core/errors.ts";
import { sampleBytes } from "../_testing.ts";
import { s3Error, ScriptedStore } from "./_testing_store.ts";
import { type ScriptedAnswer, ScriptedS3 } from "./_testing_server.ts";

async function failureOf(
  call: Promise<unknown>,
): Promise<{ text: string; hint: string | undefined }> {
  const error = await call.then(() => undefined, (error) => error);
  ok(isGraftError(error), `no GraftError: ${error}`);
  return { text: `${error.code}: ${error.message}`, hint: error.hint };
}

const READ = 'Cannot read "a" from s3://bucket/some/place';

for (
  const [answer, text, hint] of [
    [
      s3Error(404, "NoSuchBucket"),
      `unavailable: ${READ}: there is no bucket "bucket"`,
      /Make the bucket/,
    ],
    [
      s3Error(403, "InvalidAccessKeyId"),
      `unavailable: ${READ}: the store does not know the access key "graft-test"`,
      /AWS_ACCESS_KEY_ID/,
    ],
    [
      s3Error(403, "SignatureDoesNotMatch"),
      `unavailable: ${READ}: the secret does not belong to the access key "graft-test"`,
      /AWS_SECRET_ACCESS_KEY/,
    ],
    [
      s3Error(403, "AccessDenied"),
      `unavailable: ${READ}: the access key "graft-test" is not allowed to`,
      /s3:GetObject/,
    ],
    [{ status: 403 }, `unavailable: ${READ}: the access key "graft-test" is not allowed to`, /./],
    [
      s3Error(400, "ExpiredToken"),
      `unavailable: ${READ}: the session token is not valid, or no longer`,
      /AWS_SESSION_TOKEN/,
    ],
    [
      s3Error(301, "PermanentRedirect", "<Endpoint>b.s3.eu-west-1.amazonaws.com</Endpoint>"),
      `unavailable: ${READ}: the bucket is not in the region "us-east-1"`,
      /AWS_REGION/,
    ],
    [
      { status: 301, headers: { "x-amz-bucket-region": "eu-west-1" } },
      `unavailable: ${READ}: the bucket is in the region "eu-west-1", not in "us-east-1"`,
      /AWS_REGION=eu-west-1/,
    ],
    [
      s3Error(400, "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>"),
      `unavailable: ${READ}: the bucket is in the region "eu-west-1", not in "us-east-1"`,
      /AWS_REGION=eu-west-1/,
    ],
    [
      { status: 400, headers: { "x-minio-error-code": "NoSuchBucket" } },
      `unavailable: ${READ}: there is no bucket "bucket"`,
      /Make the bucket/,
    ],
    [
      s3Error(400, "InvalidArgument"),
      `internal: ${READ}: the store answered 400 InvalidArgument (Something is wrong)`,
      undefined,
    ],
    [{ status: 418, body: "tea" }, `internal: ${READ}: the store answered 418`, undefined],
    [s3Error(503, "SlowDown"), `unavailable: ${READ}: the store answered 503 SlowDown`, undefined],
    ["drop", `unavailable: ${READ}: the store cannot be reached`, /AWS_ENDPOINT_URL_S3/],
  ] as const satisfies readonly (readonly [ScriptedAnswer, string, RegExp | undefined])[]
) {
  Deno.test(`a failure reads: ${text}`, async () => {
    await using scripted = ScriptedStore.answering(answer);
    const failure = await failureOf(scripted.store.get("a"));
    equal(failure.text, text);
    ok(
      hint === undefined ? failure.hint === undefined : hint.test(failure.hint ?? ""),
      failure.hint,
    );
  });
}

Deno.test("a clock that is wrong is told with both times", async () => {
  const date = "Fri, 02 Jan 2026 03:04:05 GMT";
  const nowMs = Date.UTC(2026, 0, 2, 2, 4, 5);
  const clock = { now: () => nowMs, monotonic: () => 0 };
  const expired = "<Message>Request has expired</Message>";
  for (
    const answer of [
      { ...s3Error(403, "RequestTimeTooSkewed"), headers: { date } },
      {
        status: 403,
        body: `<Error><Code>AccessDenied</Code>${expired}</Error>`,
        headers: { date },
      },
    ]
  ) {
    await using scripted = new ScriptedStore(ScriptedS3.answering(answer), { clock });
    deepEqual(await failureOf(scripted.store.get("a")), {
      text: `unavailable: ${READ}: this machine's clock says 2026-01-02T02:04:05Z, ` +
        "and the store's 2026-01-02T03:04:05Z",
      hint: "Set this machine's clock",
    });
  }
});

Deno.test("an error's text is read up to a bound", async () => {
  const body = `<Error>${" ".repeat(100_000)}<Code>InvalidArgument</Code></Error>`;
  await using scripted = ScriptedStore.answering({ status: 400, body });
  equal(
    (await failureOf(scripted.store.get("a"))).text,
    `internal: ${READ}: the store answered 400`,
  );
});

Deno.test("the log learns why a store cannot be reached", async () => {
  await using scripted = ScriptedStore.answering("drop");
  const error = await scripted.store.get("a").then(() => undefined, (error) => error);
  ok(/connection closed/.test(error.cause.cause.message), Deno.inspect(error));
});

Deno.test("no secret and no signature is in what an error holds", async () => {
  const answers = ["drop", s3Error(403, "SignatureDoesNotMatch"), {
    status: 200,
    body: "x",
    dropAfter: 0,
  }];
  for (const answer of answers as ScriptedAnswer[]) {
    await using scripted = ScriptedStore.answering(answer);
    for (
      const call of [
        () => scripted.store.get("a"),
        () => scripted.store.put("a", sampleBytes(1)),
        () => Array.fromAsync(scripted.store.list("")),
      ]
    ) {
      const error = await call().then(() => undefined, (error) => error);
      const text = Deno.inspect(error, { depth: 10 });
      ok(!/a-secret-that|signature=|AWS4-HMAC/i.test(text), text);
    }
  }
});
