import assert from "node:assert/strict";
import vectors from "../../tests/vectors/graft-v0.1.json" with { type: "json" };
import { AssertionError } from "./assert.ts";
import type { Clock } from "./clock.ts";
import { isGraftError } from "./errors.ts";
import {
  clientIdFromName,
  GID_BYTES,
  gidFromBytes,
  type GidKind,
  gidTimeMs,
  gidToBytes,
  newGid,
  parseGid,
} from "./gid.ts";
import type { Random } from "./random.ts";

const KINDS: readonly GidKind[] = ["volume", "segment", "client"];

function clockAt(timeMs: number): Clock {
  return { now: () => timeMs, monotonic: () => 0 };
}

/** Gives the same byte again and again. */
function randomOf(byte: number): Random {
  return { fill: (target) => target.fill(byte), fraction: () => 0 };
}

function invalid(message: RegExp): (error: unknown) => boolean {
  return (error) => isGraftError(error, "invalid") && message.test(error.message);
}

Deno.test("the vectors are all there", () => {
  assert.equal(vectors.gid.length, 12);
  assert.equal(vectors.derived_client_id.length, 3);
});

for (const { bytes, kind, text } of vectors.gid) {
  Deno.test(`the official id ${text} is read and written both ways`, () => {
    const id = gidFromBytes(kind as GidKind, Uint8Array.fromHex(bytes));
    assert.equal(id, text);
    assert.equal(parseGid(kind as GidKind, text), text);
    assert.equal(gidToBytes(id).toHex(), bytes);
    assert.equal(gidTimeMs(id), parseInt(bytes.slice(2, 14), 16));
  });

  Deno.test(`the official id ${text} is of no other kind`, () => {
    for (const other of KINDS.filter((other) => other !== kind)) {
      assert.throws(
        () => parseGid(other, text),
        invalid(/^Cannot read the \w+ id: its first byte/),
      );
      assert.throws(
        () => gidFromBytes(other, Uint8Array.fromHex(bytes)),
        invalid(/first byte is 0x/),
      );
    }
  });
}

for (const { bytes, source, text } of vectors.derived_client_id) {
  Deno.test(`the official client id of "${source}" is derived`, () => {
    const id = clientIdFromName(source);
    assert.equal(id, text);
    assert.equal(gidToBytes(id).toHex(), bytes);
    assert.equal(gidTimeMs(id), 0);
    assert.equal(parseGid("client", id), id);
  });
}

Deno.test("a name is hashed in UTF-8", () => {
  assert.notEqual(clientIdFromName("é"), clientIdFromName("e\u0301"));
  assert.notEqual(clientIdFromName("a"), clientIdFromName("b"));
});

Deno.test("a new id holds its kind, the clock's time and nine random bytes", () => {
  const timeMs = 0x0199_aabb_ccdd;
  const expected = { volume: "80", segment: "a0", client: "c0" };
  for (const kind of KINDS) {
    const id = newGid(kind, clockAt(timeMs), randomOf(0x5a));
    assert.equal(gidToBytes(id).toHex(), `${expected[kind]}0199aabbccdd${"5a".repeat(9)}`);
    assert.equal(gidTimeMs(id), timeMs);
    assert.equal(id.length, 22);
  }
});

Deno.test("times are kept to the millisecond over 48 bits", () => {
  for (const timeMs of [0, 1, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 1]) {
    assert.equal(gidTimeMs(newGid("volume", clockAt(timeMs), randomOf(0))), timeMs);
  }
});

Deno.test("a time that 48 bits do not hold is a bug", () => {
  for (const timeMs of [-1, 2 ** 48, NaN]) {
    assert.throws(() => newGid("volume", clockAt(timeMs), randomOf(0)), AssertionError);
  }
});

Deno.test("ids sort by the time at which they were made", () => {
  const times = [0, 1, 255, 256, 65_536, 1_700_000_000_000, 1_800_000_000_000];
  const ids = times.map((timeMs, i) => newGid("segment", clockAt(timeMs), randomOf(255 - i)));
  assert.deepEqual(ids.toSorted(), ids);
});

Deno.test("bytes of another length are refused", () => {
  for (const length of [0, 15, 17]) {
    assert.throws(
      () => gidFromBytes("volume", new Uint8Array(length).fill(0x80)),
      invalid(new RegExp(`^Cannot read the volume id: it has ${length} bytes instead of 16$`)),
    );
  }
});

Deno.test("bytes of no kind are refused", () => {
  for (const byte of [0x00, 0x7f, 0x81, 0xe0, 0xff]) {
    const bytes = new Uint8Array(GID_BYTES);
    bytes[0] = byte;
    for (const kind of KINDS) assert.throws(() => gidFromBytes(kind, bytes), invalid(/first byte/));
  }
});

Deno.test("text that is no id is refused, and quoted", () => {
  const { text } = vectors.gid[0];
  for (const bad of ["", "x", text.slice(1), text + "1", text.replace(/.$/, "0"), "z".repeat(22)]) {
    assert.throws(
      () => parseGid("volume", bad),
      invalid(new RegExp(`^Cannot read "${bad}" as a volume id: it is not 22 base58 characters$`)),
    );
  }
});

Deno.test("an id keeps no hold on the bytes it was read from", () => {
  const bytes = Uint8Array.fromHex(vectors.gid[0].bytes);
  const id = gidFromBytes("volume", bytes);
  bytes.fill(0);
  assert.equal(gidToBytes(id).toHex(), vectors.gid[0].bytes);
});
