import assert from "node:assert/strict";
import { encrypt } from "paseto-ts/v4";
import { isGraftError } from "../../core/errors.ts";
import { KEY, OTHER_KEY, tokenWith } from "./_testing.ts";
import { parseAuthKey, toPaserk } from "./keys.ts";
import { openToken } from "./tokens.ts";

function refusal(token: string, keys = [KEY]): string {
  try {
    openToken(keys, token);
  } catch (error) {
    assert(isGraftError(error, "unauthorized"), String(error));
    assert(token.length < 20 || !error.message.includes(token), "the message repeats the token");
    return error.message;
  }
  return "no refusal";
}

Deno.test("openToken() reads what signToken() wrote", () => {
  const token = tokenWith({ subject: "laptop", expiresAtMs: 5_000 });
  assert.match(token, /^v4\.local\./);
  const claims = openToken([KEY], token);
  assert.equal(claims.subject, "laptop");
  assert.equal(claims.expiresAtMs, 5_000);
});

// PASETO's published test vectors, version 4, local: 4-E-1 and 4-E-5 (the latter with a footer)
const VECTOR_KEY = "707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f";
const VECTORS = [
  "v4.local.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQAr68PS4AXe7If_ZgesdkUMvSwscFlAl1pk5HC0e8kApeaqMf" +
  "Go_7OpBnwJOAbY9V7WU6abu74MmcUE8YWAiaArVI8XJ5hOb_4v9RmDkneN0S92dx0OW4pgy7omxgf3S8c3LlQg",
  "v4.local.32VIErrEkmY4JVILovbmfPXKW9wT1OdQepjMTC_MOtjA4kiqw7_tcaOM5GNEcnTxl60WkwMsYXw6FSNb_UdJPXjpzm0KW9" +
  "ojM5f4O2mRvE2IcweP-PRdoHjd5-RHCiExR1IK6t4x-RMNXtQNbz7FvFZ_G-lFpk5RG3EOrwDL6CgDqcerSQ.eyJraWQiOiJ6VmhNaV" +
  "BCUDlmUmYyc25FY1Q3Z0ZUaW9lQTlDT2NOeTlEZmdMMVc2MGhhTiJ9",
];

Deno.test("openToken() opens tokens of the standard's test vectors", () => {
  for (const token of VECTORS) {
    const claims = openToken([parseAuthKey(VECTOR_KEY)], token);
    assert.equal(claims.expiresAtMs, Date.parse("2022-01-01T00:00:00Z"));
    assert.equal(claims.subject, undefined);
  }
});

Deno.test("openToken() takes tokens of all keys", () => {
  for (const key of [KEY, OTHER_KEY]) {
    assert.equal(openToken([KEY, OTHER_KEY], tokenWith({ subject: "s" }, key)).subject, "s");
  }
});

Deno.test("openToken() takes a token of another library's making, with a footer", () => {
  const token = encrypt(toPaserk(KEY), { sub: "upstream" }, { footer: "kid", addExp: false });
  assert.equal(openToken([KEY], token).subject, "upstream");
});

Deno.test("openToken() refuses a foreign key and a changed token", () => {
  const token = tokenWith({});
  assert.match(refusal(token, [OTHER_KEY]), /changed, or made with a key/);
  const at = token.length - 10;
  const changed = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
  assert.match(refusal(changed), /changed, or made with a key/);
});

Deno.test("openToken() refuses what is no v4.local token", () => {
  const malformed = ["", "x", "v4.local.", "v4.public.AAAA", "v3.local." + "A".repeat(100)];
  for (
    const token of [...malformed, tokenWith({}).replace(".", "!"), "v4.local." + "A".repeat(20_000)]
  ) {
    assert.match(refusal(token), /malformed/);
  }
});

Deno.test("openToken() refuses a token whose claims are malformed", () => {
  const token = encrypt(toPaserk(KEY), JSON.stringify({ can: "everything" }), { addExp: false });
  assert.match(refusal(token), /malformed, its claim "can"/);
});
