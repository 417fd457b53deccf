import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import type { KvKey } from "../kv_handle.ts";
import { packKey, unpackKey } from "./key_codec.ts";

const hex = (key: KvKey) => packKey(key).bytes.toHex();
const unhex = (text: string) => unpackKey(Uint8Array.fromHex(text.replaceAll(" ", "")));

const part = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.double({ noNaN: true }).map((value) => Object.is(value, -0) ? 0 : value),
  fc.boolean(),
);
const key = fc.array(part, { maxLength: 4 });

Deno.test("keys stand as the tuple encoding has them", () => {
  equal(hex(["hello"]), "0268656c6c6f00");
  equal(hex(["a\0b"]), "026100ff6200");
  equal(hex([true, false]), "2726");
  equal(hex([1]), "21bff0000000000000");
  equal(hex([-1]), "21400fffffffffffff");
  equal(hex([0]), "218000000000000000");
  equal(hex([]), "");
});

Deno.test("a versionstamp takes the last place of a key, and no other", () => {
  const { bytes, stamped } = packKey(["feed", Symbol("stamp")]);
  deepEqual([bytes.toHex(), stamped], [hex(["feed"]), true]);
  equal(packKey(["feed"]).stamped, false);
  throws(() => packKey([Symbol("stamp"), "feed"]), TypeError);
});

Deno.test("every key comes back", () => {
  fc.assert(fc.property(key, (parts) => deepEqual(unpackKey(packKey(parts).bytes), parts)));
});

Deno.test("keys sort as their parts do", () => {
  const text = fc.string();
  const number = fc.double({ noNaN: true });
  const encoder = new TextEncoder();
  const bytesOf = (value: string) => encoder.encode(value).toHex();
  fc.assert(fc.property(text, text, (a, b) => {
    equal(hex([a]) < hex([b]), bytesOf(a) < bytesOf(b));
  }));
  fc.assert(fc.property(number, number, (a, b) => {
    if (a < b) ok(hex([a]) < hex([b]));
  }));
});

Deno.test("keys of others are read as far as they can be", () => {
  deepEqual(unhex("01 01 00ff 02 00 27"), [Uint8Array.of(1, 0, 2), true]);
  // a bigint, and what no key is
  deepEqual(unhex("02 61 00 15 07"), ["a", Uint8Array.of(0x15, 7)]);
  deepEqual(unhex("02 61"), [Uint8Array.of(2, 0x61)]);
  deepEqual(unhex("21 00"), [Uint8Array.of(0x21, 0)]);
  deepEqual(unhex("ff"), [Uint8Array.of(0xff)]);
});
