import assert from "node:assert/strict";
import { base58 } from "@scure/base";
import fc from "fast-check";
import { decodeBase58, encodeBase58 } from "./_base58.ts";

const RUNS = { numRuns: 2000 };
const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** Sixteen bytes, the first of them as identifiers have it. */
const idBytes = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => {
  bytes[0] |= 0x80;
  return bytes;
});

Deno.test("any id is encoded as the reference does", () => {
  fc.assert(
    fc.property(idBytes, (bytes) => {
      assert.equal(encodeBase58(bytes), base58.encode(bytes));
    }),
    RUNS,
  );
});

Deno.test("any id is decoded as the reference does", () => {
  fc.assert(
    fc.property(idBytes, (bytes) => {
      const text = base58.encode(bytes);
      assert.equal(text.length, 22);
      assert.deepEqual(decodeBase58(text), new Uint8Array(bytes));
    }),
    RUNS,
  );
});

Deno.test("the extremes are encoded and decoded as the reference does", () => {
  const lowest = new Uint8Array(16);
  lowest[0] = 0x80;
  const highest = new Uint8Array(16).fill(0xff);
  for (const bytes of [lowest, highest]) {
    assert.equal(encodeBase58(bytes), base58.encode(bytes));
    assert.deepEqual(decodeBase58(base58.encode(bytes)), bytes);
  }
});

Deno.test("bytes are encoded from the middle of a buffer", () => {
  const buffer = Uint8Array.from({ length: 40 }, (_, i) => 255 - i);
  const bytes = buffer.subarray(9, 25);
  assert.equal(encodeBase58(bytes), base58.encode(bytes.slice()));
});

Deno.test("the text form sorts as the bytes do", () => {
  fc.assert(
    fc.property(idBytes, idBytes, (a, b) => {
      const byBytes = a.toHex() < b.toHex();
      assert.equal(encodeBase58(a) < encodeBase58(b), byBytes);
    }),
    RUNS,
  );
});

Deno.test("22 digits are decoded exactly when they fit 16 bytes", () => {
  const digit = fc.constantFrom(...ALPHABET);
  const texts = fc.array(digit, { minLength: 22, maxLength: 22 }).map((digits) => digits.join(""));
  // the reference writes a leading 1 as a whole zero byte; the value is what counts here
  const fits = (text: string) => valueOf(text) < 2n ** 128n;
  fc.assert(
    fc.property(texts, (text) => {
      const bytes = decodeBase58(text);
      assert.equal(bytes !== undefined, fits(text));
      if (bytes !== undefined) assert.equal(BigInt(`0x${bytes.toHex()}`), valueOf(text));
    }),
    RUNS,
  );
});

/** The number that base58 digits stand for, by the definition. */
function valueOf(text: string): bigint {
  return [...text].reduce((sum, digit) => sum * 58n + BigInt(ALPHABET.indexOf(digit)), 0n);
}

Deno.test("the largest number of 16 bytes is decoded, the next one is not", () => {
  const largest = base58.encode(new Uint8Array(16).fill(0xff));
  const next = largest.slice(0, -1) + ALPHABET[ALPHABET.indexOf(largest.at(-1)!) + 1];
  assert.equal(valueOf(next), 2n ** 128n);
  assert.ok(decodeBase58(largest) !== undefined);
  assert.equal(decodeBase58(next), undefined);
  assert.equal(decodeBase58("z".repeat(22)), undefined);
});

Deno.test("another length is not decoded", () => {
  const text = base58.encode(new Uint8Array(16).fill(0x99));
  for (const other of ["", text.slice(1), text + "1", "1" + text]) {
    assert.equal(decodeBase58(other), undefined);
  }
});

Deno.test("characters outside the alphabet are not decoded", () => {
  const text = base58.encode(new Uint8Array(16).fill(0x99));
  for (const bad of ["0", "O", "I", "l", " ", "-", "\0", "\u0080", "é", "１"]) {
    for (const at of [0, 10, 21]) {
      assert.equal(decodeBase58(text.slice(0, at) + bad + text.slice(at + 1)), undefined);
    }
  }
});
