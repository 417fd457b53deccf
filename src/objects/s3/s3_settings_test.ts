import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { isGraftError } from "../../core/errors.ts";
import { s3SettingsFrom } from "./s3_settings.ts";

const NEEDED = {
  AWS_ACCESS_KEY_ID: "id",
  AWS_SECRET_ACCESS_KEY: "secret/+=",
  AWS_REGION: "eu-central-1",
};

function settingsOf(variables: Record<string, string>) {
  return s3SettingsFrom(new Map(Object.entries(variables)));
}

Deno.test("keys and a region are enough", () => {
  deepEqual(settingsOf(NEEDED), {
    accessKeyId: "id",
    secretAccessKey: "secret/+=",
    region: "eu-central-1",
  });
});

Deno.test("a token and an endpoint are taken where they are", () => {
  const more = { AWS_SESSION_TOKEN: "token", AWS_ENDPOINT_URL_S3: "https://Store.example/s3//" };
  deepEqual(settingsOf({ ...NEEDED, ...more }), {
    accessKeyId: "id",
    secretAccessKey: "secret/+=",
    region: "eu-central-1",
    sessionToken: "token",
    endpoint: "https://store.example/s3",
  });
});

Deno.test("the narrower variable wins, and an empty one is none", () => {
  const both = {
    ...NEEDED,
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_ENDPOINT_URL: "http://general:1",
    AWS_ENDPOINT_URL_S3: "http://narrow:2",
  };
  equal(settingsOf(both).region, "eu-central-1");
  equal(settingsOf(both).endpoint, "http://narrow:2");
  const general = { ...both, AWS_REGION: "", AWS_ENDPOINT_URL_S3: "", AWS_SESSION_TOKEN: "" };
  equal(settingsOf(general).region, "us-east-1");
  equal(settingsOf(general).endpoint, "http://general:1");
  equal(settingsOf(general).sessionToken, undefined);
});

for (const name of Object.keys(NEEDED)) {
  Deno.test(`without ${name} nothing goes`, () => {
    throws(() => settingsOf({ ...NEEDED, [name]: "" }), (error: unknown) => {
      ok(isGraftError(error, "invalid"));
      equal(error.message, `Cannot read ${name} for S3: it is not set`);
      ok(error.hint);
      return true;
    });
  });
}

for (
  const [name, value] of [
    ["AWS_ACCESS_KEY_ID", "two words"],
    ["AWS_SECRET_ACCESS_KEY", "hush-hush\n"],
    ["AWS_SESSION_TOKEN", "hush-hush\r\nx: y"],
    ["AWS_REGION", "eu.central/1"],
    ["AWS_ENDPOINT_URL_S3", "127.0.0.1:9000"],
    ["AWS_ENDPOINT_URL_S3", "ftp://host"],
    ["AWS_ENDPOINT_URL_S3", "http://user:hush-hush@host"],
    ["AWS_ENDPOINT_URL_S3", "http://host/?token=hush-hush"],
  ] as const
) {
  Deno.test(`${JSON.stringify(value)} is no ${name}, and a secret is not repeated`, () => {
    throws(() => settingsOf({ ...NEEDED, [name]: value }), (error: unknown) => {
      ok(isGraftError(error, "invalid"));
      ok(error.message.startsWith(`Cannot read ${name} for S3: `), error.message);
      ok(!`${error.message} ${error.hint}`.includes("hush-hush"), error.message);
      return true;
    });
  });
}
