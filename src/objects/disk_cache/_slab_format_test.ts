import { deepEqual, equal, ok } from "node:assert/strict";
import { sampleBytes } from "../_testing.ts";
import { COLLIDING_KEYS } from "./_testing.ts";
import {
  bodyOf,
  decodeFooter,
  encodeEntry,
  encodeFooter,
  FOOTER_END_BYTES,
  footerLength,
  hashKey,
  isIntact,
  readHeader,
} from "./_slab_format.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

Deno.test("an entry is laid out as docs/formats/disk_cache.md says", () => {
  const { bytes, keyHash } = encodeEntry(bytesOf("key"), new Uint8Array([1, 2, 3, 4, 5]));
  equal(
    bytes.toHex(),
    "aadbbdbf85fe4d9b" + "47444331" + "3443e12d" + "03000000" + "05000000" + "6b6579" +
      "0102030405",
  );
  equal(keyHash, hashKey(bytesOf("key")));
  deepEqual(readHeader(bytes, 0), { keyHash, length: 32 });
});

Deno.test("an entry with any bit flipped, cut short or drawn out is not intact", () => {
  const { bytes } = encodeEntry(bytesOf("key"), sampleBytes(40));
  ok(isIntact(bytes));
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >>> 3] ^= 1 << (bit & 7);
    ok(!isIntact(flipped), `bit ${bit}`);
  }
  for (let length = 0; length < bytes.length; length++) ok(!isIntact(bytes.slice(0, length)));
  ok(!isIntact(new Uint8Array([...bytes, 0])));
});

Deno.test("a body is given only for its own key", () => {
  const [one, other] = COLLIDING_KEYS.map(bytesOf);
  equal(hashKey(one), hashKey(other));
  const { bytes } = encodeEntry(one, sampleBytes(5));
  deepEqual(bodyOf(bytes, one), sampleBytes(5));
  equal(bodyOf(bytes, other), undefined);
  equal(bodyOf(bytes, one.slice(0, -1)), undefined);
  const longer = encodeEntry(other, sampleBytes(5)).bytes;
  equal(bodyOf(longer, bytesOf("key-10580x")), undefined);
});

Deno.test("a footer lists entries, or is refused", () => {
  const entries = [
    { keyHash: 0xffff_ffff, offset: 0, length: 100 },
    { keyHash: 7, offset: 100, length: 2 ** 30 },
  ];
  const footer = encodeFooter(entries);
  equal(footer.length, 2 * 12 + 16);
  equal(footerLength(footer.subarray(-FOOTER_END_BYTES)), footer.length);
  deepEqual(decodeFooter(footer), entries);
  for (let bit = 0; bit < footer.length * 8; bit++) {
    const flipped = footer.slice();
    flipped[bit >>> 3] ^= 1 << (bit & 7);
    const length = footerLength(flipped.subarray(-FOOTER_END_BYTES));
    if (length === footer.length) equal(decodeFooter(flipped), undefined, `bit ${bit}`);
  }
});
