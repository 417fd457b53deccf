import assert from "node:assert/strict";
import fc from "fast-check";
import { createXXHash64 } from "hash-wasm";
import { AssertionError } from "./assert.ts";
import {
  addDigests,
  contentDigest,
  type Digest,
  DIGEST_BYTES,
  digestOf,
  digestsEqual,
  EMPTY_DIGEST,
  pageHash,
  xxh64,
} from "./content_digest.ts";

const RUNS = { numRuns: 100 };

/** An independent xxHash64. */
const reference = await createXXHash64();

async function referenceHash(bytes: Uint8Array, seed: bigint): Promise<bigint> {
  const hasher = await createXXHash64(Number(seed & 0xffff_ffffn), Number(seed >> 32n));
  return BigInt(`0x${hasher.init().update(bytes).digest("hex")}`);
}

function filler(length: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 167 + seed * 31 + (i >> 8)) & 0xff);
}

/** A digest as the number it is. */
function toNumber(digest: Digest): bigint {
  return BigInt(`0x${digest.toReversed().toHex()}`);
}

Deno.test("xxh64 gives the published values", () => {
  const text = (value: string) => new TextEncoder().encode(value);
  assert.equal(xxh64(new Uint8Array(), 0n), 0xef46_db37_51d8_e999n);
  assert.equal(xxh64(text("a"), 0n), 0xd24e_c4f1_a98c_6e5bn);
  assert.equal(xxh64(text("abc"), 0n), 0x44bc_2cf5_ad77_0999n);
  assert.equal(
    xxh64(text("Nobody inspects the spammish repetition"), 0n),
    0xfbce_a83c_8a37_8bf1n,
  );
});

Deno.test("xxh64 agrees with another implementation at every length to 300", () => {
  for (let length = 0; length <= 300; length++) {
    const bytes = filler(length, length);
    const expected = reference.init().update(bytes).digest("hex");
    assert.equal(xxh64(bytes, 0n).toString(16).padStart(16, "0"), expected, `length ${length}`);
  }
});

Deno.test("xxh64 agrees with another implementation for every seed", async () => {
  const seeds = [1n, 2n, 0xffff_ffffn, 0x1_0000_0000n, 2n ** 63n, 2n ** 64n - 1n];
  for (const seed of seeds) {
    for (const length of [0, 3, 12, 31, 32, 33, 100, 4096, 100_000]) {
      const bytes = filler(length);
      assert.equal(xxh64(bytes, seed), await referenceHash(bytes, seed), `${seed}, ${length}`);
    }
  }
});

Deno.test("bytes are hashed from the middle of a buffer", () => {
  const buffer = filler(200);
  assert.equal(xxh64(buffer.subarray(13, 150), 5n), xxh64(buffer.slice(13, 150), 5n));
});

Deno.test("a page's hash is its xxh64 with seed 0, and only of a page", () => {
  const page = filler(4096);
  assert.equal(pageHash(page), xxh64(page, 0n));
  for (const length of [0, 4095, 4097]) {
    assert.throws(() => pageHash(filler(length)), AssertionError);
  }
});

Deno.test("a record's digest is both its hashes, little-endian", () => {
  const bytes = filler(77);
  const digest = digestOf(bytes);
  assert.equal(digest.length, DIGEST_BYTES);
  assert.equal(toNumber(digest), (xxh64(bytes, 2n) << 64n) | xxh64(bytes, 1n));
});

/** The content digest by its definition, with another implementation's hashes. */
async function referenceDigest(indexes: number[], hashes: bigint[]): Promise<bigint> {
  let sum = 0n;
  for (const [i, index] of indexes.entries()) {
    const entry = new DataView(new ArrayBuffer(12));
    entry.setUint32(0, index, true);
    entry.setBigUint64(4, hashes[i], true);
    const bytes = new Uint8Array(entry.buffer);
    sum += ((await referenceHash(bytes, 2n)) << 64n) | (await referenceHash(bytes, 1n));
  }
  return sum % 2n ** 128n;
}

const pages = fc.array(
  fc.tuple(fc.integer({ min: 1, max: 2 ** 32 - 1 }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  { maxLength: 40 },
);

function digestOfPages(list: [number, bigint][]): Digest {
  return contentDigest(
    Uint32Array.from(list.map(([index]) => index)),
    BigUint64Array.from(list.map(([, hash]) => hash)),
  );
}

Deno.test("a content digest is the sum that its definition says", async () => {
  await fc.assert(
    fc.asyncProperty(pages, async (list) => {
      const expected = await referenceDigest(
        list.map(([index]) => index),
        list.map(([, hash]) => hash),
      );
      assert.equal(toNumber(digestOfPages(list)), expected);
    }),
    RUNS,
  );
});

Deno.test("a content digest does not depend on order or on how pages are split", () => {
  fc.assert(
    fc.property(pages, fc.nat(40), (list, cut) => {
      const whole = digestOfPages(list);
      const parts = addDigests(digestOfPages(list.slice(cut)), digestOfPages(list.slice(0, cut)));
      assert.deepEqual(parts, whole);
      assert.deepEqual(digestOfPages(list.toReversed()), whole);
    }),
    RUNS,
  );
});

Deno.test("a content digest depends on every index and every hash", () => {
  const digest = digestOfPages([[1, 7n], [2, 8n]]);
  for (const other of [[[1, 8n], [2, 7n]], [[1, 7n]], [[1, 7n], [3, 8n]], [[1, 7n], [2, 9n]]]) {
    assert.ok(!digestsEqual(digest, digestOfPages(other as [number, bigint][])));
  }
});

Deno.test("no pages have the empty digest, which adds nothing", () => {
  assert.ok(digestsEqual(contentDigest(new Uint32Array(), new BigUint64Array()), EMPTY_DIGEST));
  const digest = digestOfPages([[3, 4n]]);
  assert.deepEqual(addDigests(digest, EMPTY_DIGEST), digest);
  assert.equal(toNumber(EMPTY_DIGEST), 0n);
});

Deno.test("one hash is needed for each page", () => {
  assert.throws(() => contentDigest(Uint32Array.of(1, 2), BigUint64Array.of(1n)), AssertionError);
});

Deno.test("digests are added mod 2^128, into a new array", () => {
  const digest = fc.uint8Array({ minLength: DIGEST_BYTES, maxLength: DIGEST_BYTES });
  fc.assert(
    fc.property(digest, digest, (a, b) => {
      const before = [a.toHex(), b.toHex()];
      assert.equal(toNumber(addDigests(a, b)), (toNumber(a) + toNumber(b)) % 2n ** 128n);
      assert.deepEqual([a.toHex(), b.toHex()], before);
    }),
    RUNS,
  );
  const highest = new Uint8Array(DIGEST_BYTES).fill(0xff);
  const one = new Uint8Array(DIGEST_BYTES);
  one[0] = 1;
  assert.deepEqual(addDigests(highest, one), new Uint8Array(DIGEST_BYTES));
});

Deno.test("digests are equal when all bytes are", () => {
  const digest = digestOf(filler(9));
  assert.ok(digestsEqual(digest, digest.slice()));
  for (let i = 0; i < DIGEST_BYTES; i++) {
    const other = digest.slice();
    other[i] ^= 1;
    assert.ok(!digestsEqual(digest, other), `byte ${i}`);
  }
  assert.throws(() => digestsEqual(digest, digest.subarray(1)), AssertionError);
  assert.throws(() => addDigests(digest.subarray(1), digest), AssertionError);
});
