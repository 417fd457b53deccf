import assert from "node:assert/strict";
import { constants, zstdCompressSync } from "node:zlib";
import { isGraftError } from "../../src/core/errors.ts";
import { WasmCodec } from "../../src/segment/mod.ts";
import { decompress } from "./decompress.ts";

const codec = new WasmCodec();

function compressAt(level: number, raw: Uint8Array): Uint8Array {
  const params = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_checksumFlag]: level % 2,
  };
  return zstdCompressSync(raw, { params });
}

/** Bytes that are the same every time: xorshift. */
function makeRandom(seed: number): (below: number) => number {
  let state = seed * 2 + 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Bytes of which `alphabet` differ, and a share is repeated from before. */
function sample(seed: number, length: number, alphabet: number, repeats: number): Uint8Array {
  const random = makeRandom(seed);
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const run = 1 + random(60);
    const from = random(at + 1);
    const isRepeat = at > 0 && random(100) < repeats;
    for (let i = 0; i < run && at < length; i++, at++) {
      bytes[at] = isRepeat ? bytes[Math.min(from + i, at - 1)] : random(alphabet) * random(2);
    }
  }
  return bytes;
}

function samples(): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const length of [1, 100, 4096, 40 * 4096]) {
    for (const alphabet of [1, 2, 20, 120, 256]) {
      for (const repeats of [0, 10, 60, 95]) {
        found.push(sample(found.length + 1, length, alphabet, repeats));
      }
    }
  }
  return found;
}

/** The array, or the code of the error that came instead. */
function outcome(stored: Uint8Array, rawLength: number): Uint8Array | string {
  try {
    return decompress(stored, rawLength);
  } catch (error) {
    if (isGraftError(error)) return error.code;
    throw error;
  }
}

Deno.test("decompress() undoes what zstd did, whatever the bytes", () => {
  for (const raw of samples()) {
    const frames = [-5, 1, 6, 12].map((level) => compressAt(level, raw));
    if (raw.length <= 4096) frames.push(codec.compress(raw));
    for (const stored of frames) {
      const equal = Buffer.compare(decompress(stored, raw.length), raw) === 0;
      assert.ok(equal, `${raw.length} bytes that became ${stored.length}`);
    }
  }
});

Deno.test("decompress() refuses a frame of another length", () => {
  const raw = sample(1, 4096, 20, 60);
  const stored = codec.compress(raw);
  for (const length of [0, 4095, 4097, 8192]) assert.equal(outcome(stored, length), "damaged");
});

Deno.test("decompress() refuses what is cut short, or goes on", () => {
  for (const alphabet of [1, 20, 256]) {
    const raw = sample(2, 3000, alphabet, 60);
    const stored = codec.compress(raw);
    for (let end = 0; end < stored.length; end++) {
      assert.equal(outcome(stored.subarray(0, end), raw.length), "damaged", `${end}`);
    }
    assert.equal(outcome(Uint8Array.of(...stored, 0), raw.length), "damaged");
  }
});

Deno.test("decompress() answers damaged bytes with the length asked for, or with damaged", () => {
  const random = makeRandom(3);
  for (const alphabet of [2, 20, 120]) {
    const raw = sample(3, 4096, alphabet, 60);
    const stored = codec.compress(raw);
    for (let round = 0; round < 3000; round++) {
      const changed = stored.slice();
      for (let i = 0; i <= random(4); i++) changed[random(changed.length)] = random(256);
      const result = outcome(changed, raw.length);
      if (typeof result !== "string") assert.equal(result.length, raw.length);
      else assert.equal(result, "damaged");
    }
  }
});

Deno.test("decompress() comes to an end with a table whose states take no bits", () => {
  // the weights are coded by one symbol that has all the states: nothing ever moves on
  const tree = [7, 0xf0, 0x03, 0xff, 0xff, 0xff, 0xff, 0xff];
  const literals = 2 | 16 << 4 | tree.length << 14;
  const block = [literals & 255, literals >> 8 & 255, literals >> 16, ...tree, 0];
  const head = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 16, 1 | 2 << 1 | block.length << 3, 0, 0];
  assert.throws(() => decompress(Uint8Array.of(...head, ...block), 16), {
    code: "damaged",
    message: "Cannot decompress the frame: a table has too many codes",
  });
});

Deno.test("decompress() refuses dictionaries, and kinds of blocks that are not defined", () => {
  const head = (flags: number) => [0x28, 0xb5, 0x2f, 0xfd, flags, 4];
  assert.deepEqual(
    decompress(Uint8Array.of(...head(0x20), 0x23, 0, 0, 7), 4),
    new Uint8Array(4).fill(7),
  );
  for (const flags of [0x21, 0x28]) {
    assert.equal(outcome(Uint8Array.of(...head(flags), 0x23, 0, 0, 7), 4), "damaged");
  }
  assert.equal(outcome(Uint8Array.of(...head(0x20), 0x27, 0, 0, 7, 7, 7, 7), 4), "damaged");
});
