import { equal, match, notEqual, ok } from "node:assert/strict";
import { type BucketRequest, RequestSigner } from "./request_signer.ts";
import { parseS3Address } from "../s3_address.ts";
import type { S3Settings } from "../s3_settings.ts";

const SETTINGS: S3Settings = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  region: "eu-central-1",
};
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 999);
const HEAD: BucketRequest = { method: "HEAD", path: "a/b" };
const GET: BucketRequest = { method: "GET", path: "a/b", headers: { range: "bytes=0-9" } };

function signerFor(settings: Partial<S3Settings> = {}, address = "s3://bucket"): RequestSigner {
  return new RequestSigner({ ...SETTINGS, ...settings }, parseS3Address(address));
}

for (
  const [settings, address, url] of [
    [{}, "s3://bucket", "https://bucket.s3.eu-central-1.amazonaws.com/a/b"],
    [{}, "s3://dotted.bucket", "https://s3.eu-central-1.amazonaws.com/dotted.bucket/a/b"],
    [
      { region: "cn-north-1" },
      "s3://bucket",
      "https://bucket.s3.cn-north-1.amazonaws.com.cn/a/b",
    ],
    [{ endpoint: "http://127.0.0.1:9000" }, "s3://bucket", "http://127.0.0.1:9000/bucket/a/b"],
    [{ endpoint: "https://host/s3" }, "s3://bucket", "https://host/s3/bucket/a/b"],
  ] as const
) {
  Deno.test(`requests go to ${url}`, async () => {
    equal((await signerFor(settings, address).sign(HEAD, NOW)).url, url);
    const read = await signerFor(settings, address).sign(GET, NOW);
    equal(read.url.split("?")[0], url);
  });
}

Deno.test("a request is signed for its region and its second", async () => {
  const { headers } = await signerFor().sign(HEAD, NOW);
  equal(headers.get("x-amz-date"), "20260102T030405Z");
  match(
    headers.get("authorization") ?? "",
    /Credential=AKIDEXAMPLE\/20260102\/eu-central-1\/s3\/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date,/,
  );
});

Deno.test("what is sent is part of the signature", async () => {
  const put = (body: string): BucketRequest => ({
    method: "PUT",
    path: "a",
    body: new TextEncoder().encode(body),
  });
  const sign = async (body: string) => (await signerFor().sign(put(body), NOW)).headers;
  const hash = "x-amz-content-sha256";
  const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  equal((await sign("abc")).get(hash), abc);
  equal((await sign("")).get(hash), empty);
  equal((await signerFor().sign(HEAD, NOW)).headers.get(hash), empty);
  notEqual((await sign("abc")).get("authorization"), (await sign("abd")).get("authorization"));
});

Deno.test("headers are signed, but not the one that proxies change", async () => {
  const headers = { "if-none-match": "*" };
  const signed = await signerFor({ sessionToken: "token" }).sign({ ...HEAD, headers }, NOW);
  const authorization = signed.headers.get("authorization") ?? "";
  ok(authorization.includes("SignedHeaders=host;if-none-match;x-amz-content-sha256;"));
  ok(authorization.includes(";x-amz-security-token,"));
  equal(signed.headers.get("x-amz-security-token"), "token");
  equal(signed.headers.get("accept-encoding"), "identity");
  ok(!authorization.includes("accept-encoding"));
});

Deno.test("a read is signed in its address, whatever its range", async () => {
  const signer = signerFor({ sessionToken: "token" });
  const read = await signer.sign(GET, NOW);
  const query = new URL(read.url).searchParams;
  equal(query.get("X-Amz-Date"), "20260102T030405Z");
  equal(query.get("X-Amz-SignedHeaders"), "host");
  equal(query.get("X-Amz-Security-Token"), "token");
  equal(read.headers.get("authorization"), null);
  equal(read.headers.get("range"), "bytes=0-9");
  equal(read.headers.get("accept-encoding"), "identity");
});

Deno.test("an address is used again while it is young", async () => {
  const signer = signerFor();
  const urlAt = async (dateMs: number) => (await signer.sign(GET, dateMs)).url;
  const first = await urlAt(NOW);
  equal(await urlAt(NOW + 15 * 60_000), first);
  notEqual(await urlAt(NOW + 15 * 60_000 + 1000), first);
  const earlier = await urlAt(NOW - 60_000);
  ok(earlier.includes("X-Amz-Date=20260102T030305Z"), "a clock that was set back signs anew");
});

Deno.test("each object has an address of its own", async () => {
  const signer = signerFor();
  const first = await signer.sign(GET, NOW);
  const second = await signer.sign({ ...GET, path: "a/c" }, NOW);
  ok(second.url.includes("/a/c?"));
  notEqual(new URL(first.url).search, new URL(second.url).search);
});

Deno.test("a listing is signed in its headers, with its query", async () => {
  const request: BucketRequest = {
    method: "GET",
    path: "",
    query: { prefix: "a/b", token: "+/=" },
  };
  const { url, headers } = await signerFor().sign(request, NOW);
  equal(url, "https://bucket.s3.eu-central-1.amazonaws.com/?prefix=a%2Fb&token=%2B%2F%3D");
  ok(headers.has("authorization"));
});
