import assert from "node:assert/strict";
import { isGraftError } from "../../core/errors.ts";
import { systemRandom } from "../../core/random.ts";
import { newAuthKey, parseAuthKey, toPaserk } from "./keys.ts";

Deno.test("newAuthKey() makes 64 hex digits, another each time", () => {
  const key = newAuthKey(systemRandom);
  assert.match(key, /^[0-9a-f]{64}$/);
  assert.notEqual(key, newAuthKey(systemRandom));
  assert.equal(parseAuthKey(key), key);
});

Deno.test("parseAuthKey() takes capitals and the newline of a file", () => {
  assert.equal(parseAuthKey(`${"AB".repeat(32)}\n`), "ab".repeat(32));
});

Deno.test("parseAuthKey() says what is wrong and never repeats the key", () => {
  for (
    const [text, state] of [["", "0 characters"], ["abc123", "6 characters"], [
      "zz".repeat(32),
      "no hex",
    ]]
  ) {
    assert.throws(() => parseAuthKey(text), (error) => {
      assert(isGraftError(error, "invalid"));
      assert.match(error.message, new RegExp(state));
      assert(text === "" || !error.message.includes(text));
      return true;
    });
  }
});

Deno.test("toPaserk() writes the key as PASETO libraries take it", () => {
  assert.equal(toPaserk(parseAuthKey("00".repeat(32))), `k4.local.${"A".repeat(43)}`);
  assert.equal(toPaserk(parseAuthKey("ff".repeat(32))), `k4.local.${"_".repeat(42)}8`);
});
