import assert from "node:assert/strict";
import { isGraftError } from "./errors.ts";
import { PageSet } from "./page_set.ts";

/** Bytes of hex text whose spaces only help the reader. */
function hex(text: string): Uint8Array {
  return Uint8Array.fromHex(text.replaceAll(" ", ""));
}

function refuses(bytes: Uint8Array, state: string): void {
  assert.throws(() => PageSet.decode(bytes), (error) => {
    assert.ok(isGraftError(error, "invalid"));
    assert.equal(error.message, `Cannot decode page set: ${state} of ${bytes.length})`);
    return true;
  });
}

const MAGIC = "daae12df";
// One key each at level 2 and level 1, above the partition of blocks.
const UPPER = (keys: string) => `00 ${keys} 00000000  00 00 00000000  0100 0000`;

Deno.test("the pieces of these tests make a valid set", () => {
  const bytes = hex(`${MAGIC} 0509  07 01 0000  ${UPPER("00")}`);
  assert.deepEqual([...PageSet.decode(bytes)], [0x705, 0x709]);
});

Deno.test("too few bytes are refused", () => {
  refuses(new Uint8Array(), "it is shorter than the 8 bytes of the empty set (byte 0");
  refuses(hex(`${MAGIC} 000000`), "it is shorter than the 8 bytes of the empty set (byte 0");
});

Deno.test("another magic is refused", () => {
  refuses(hex("daae12de 00000000"), "it does not begin with DA AE 12 DF (byte 0");
});

Deno.test("more than 256 keys are refused", () => {
  refuses(hex(`${MAGIC} 0101 0000`), "its footer names more than 256 keys (byte 4");
  refuses(hex(`${MAGIC} ffff 0000`), "its footer names more than 256 keys (byte 4");
});

Deno.test("an index that does not fit its partition is refused", () => {
  refuses(hex(`${MAGIC} 0100 0000`), "an index reaches outside its partition (byte 4");
  // level 1 claims 40 keys at level 2, whose index would begin before the magic
  refuses(
    hex(`${MAGIC} 05  07 00 0000  00 00 00000000  00 27 00000000  0100 0000`),
    "an index reaches outside its partition (byte 4",
  );
});

Deno.test("keys that do not ascend are refused", () => {
  const twice = `05 06  07 07 00 00 0100 0000`;
  refuses(hex(`${MAGIC} ${twice} ${UPPER("01")}`), "the keys of a partition do not ascend (byte 6");
  const falling = `05 06  08 07 00 00 0100 0000`;
  refuses(
    hex(`${MAGIC} ${falling} ${UPPER("01")}`),
    "the keys of a partition do not ascend (byte 6",
  );
});

Deno.test("a bitmap of keys that does not have as many as stated is refused", () => {
  const keys = "ffffffff" + "00".repeat(28);
  const good = hex(
    MAGIC + "05".repeat(32) + keys + "00".repeat(32) +
      Array.from({ length: 32 }, (_, i) => `${(31 - i).toString(16).padStart(2, "0")}00`).join("") +
      UPPER("1f"),
  );
  assert.equal(PageSet.decode(good).size, 32);
  for (const byte of [0xfe, 0x7f]) {
    const bad = good.slice();
    bad[36] = byte;
    refuses(bad, "the keys of a partition are not as many as stated (byte 36");
  }
  const moved = good.slice();
  moved[36] = 0xfe;
  moved[67] = 0x80;
  assert.equal(PageSet.decode(moved).last, 0xff05);
});

Deno.test("an offset outside its partition is refused", () => {
  refuses(
    hex(`${MAGIC} 05  07 00 0200  ${UPPER("00")}`),
    "an offset points outside its partition (byte 7",
  );
  refuses(
    hex(`${MAGIC} 05  07 00 0000  00 00 ffffffff  00 00 00000000  0100 0000`),
    "an offset points outside its partition (byte 11",
  );
});

Deno.test("values that overlap, or that are out of order, are refused", () => {
  // both keys share one value
  refuses(
    hex(`${MAGIC} 05  07 08 00 00 0000 0000  ${UPPER("01")}`),
    "the values of a partition overlap or are out of order (byte 5",
  );
  // the first key's value stands last
  refuses(
    hex(`${MAGIC} 05 06  07 08 00 00 0000 0100  ${UPPER("01")}`),
    "some bytes belong to no value (byte 4",
  );
  refuses(
    hex(`${MAGIC} 05 06  07 08 01 00 0000 0100  ${UPPER("01")}`),
    "the values of a partition overlap or are out of order (byte 5",
  );
});

Deno.test("bytes that belong to no value are refused", () => {
  refuses(hex(`${MAGIC} 00 0000 0000`), "some bytes belong to no value (byte 4");
  refuses(
    hex(`${MAGIC} 00 05  07 00 0000  ${UPPER("00")}`),
    "some bytes belong to no value (byte 4",
  );
  refuses(
    hex(`${MAGIC} 05 00  07 00 0100  ${UPPER("00")}`),
    "some bytes belong to no value (byte 5",
  );
  // a valid set with bytes after it ends with a footer of no keys
  refuses(
    hex(`${MAGIC} 05  07 00 0000  ${UPPER("00")} 00000000`),
    "some bytes belong to no value (byte 4",
  );
});

Deno.test("members of a block that do not ascend are refused", () => {
  refuses(
    hex(`${MAGIC} 05 05  07 01 0000  ${UPPER("00")}`),
    "the members of a block do not ascend (byte 4",
  );
  refuses(
    hex(`${MAGIC} 06 05  07 01 0000  ${UPPER("00")}`),
    "the members of a block do not ascend (byte 4",
  );
});

Deno.test("a bitmap of members that does not have as many as stated is refused", () => {
  const bitmap = (lowest: string) => lowest + "ffffff01" + "00".repeat(27);
  const encoding = (lowest: string) => hex(`${MAGIC} ${bitmap(lowest)} 00 1f 0000 ${UPPER("00")}`);
  assert.equal(PageSet.decode(encoding("fe")).size, 32);
  for (const lowest of ["ff", "7e"]) {
    refuses(encoding(lowest), "the members of a block are not as many as stated (byte 4");
  }
});

Deno.test("a full partition is checked although it has no values", () => {
  const full = PageSet.range(0, 65_535).bytes;
  assert.equal(full.length, 4 + 768 + 6 + 6 + 4);
  for (let at = 4; at < 4 + 768; at++) {
    const bad = full.slice();
    bad[at] ^= 1;
    assert.throws(
      () => PageSet.decode(bad),
      (error) => isGraftError(error, "invalid"),
      `byte ${at}`,
    );
  }
});

Deno.test("the reserved bytes are read over and written as zero", () => {
  const odd = hex(`${MAGIC} 05  07 00 0000  00 00 00000000  00 00 00000000  0100 1234`);
  const set = PageSet.decode(odd);
  assert.deepEqual([...set], [0x705]);
  assert.deepEqual([...set.bytes.subarray(-4)], [1, 0, 0, 0]);
  assert.ok(set.equals(PageSet.from([0x705])));
  assert.equal(odd.at(-1), 0x34);
  assert.ok(PageSet.decode(hex(`${MAGIC} 0000 ffff`)).equals(PageSet.empty));
});

Deno.test("every prefix of a valid set is refused", () => {
  const { bytes } = PageSet.from([1, 2, 300, 70_000, 2 ** 31]);
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(
      () => PageSet.decode(bytes.subarray(0, length)),
      (error) => isGraftError(error, "invalid"),
      `${length} bytes`,
    );
  }
});

Deno.test("a set is read from the middle of a buffer", () => {
  const { bytes } = PageSet.from([4, 5]);
  const buffer = new Uint8Array(bytes.length + 20).fill(0xff);
  buffer.set(bytes, 7);
  const set = PageSet.decode(buffer.subarray(7, 7 + bytes.length));
  assert.deepEqual([...set], [4, 5]);
});
