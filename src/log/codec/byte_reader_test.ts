import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { AssertionError } from "../../core/assert.ts";
import { isGraftError } from "../../core/errors.ts";
import { ByteReader } from "./byte_reader.ts";
import { ByteWriter } from "./byte_writer.ts";

function refuses(work: () => unknown, message: RegExp): void {
  throws(work, (error: unknown) => {
    equal(isGraftError(error, "invalid") && message.test(error.message), true, String(error));
    return true;
  });
}

Deno.test("numbers come back from their shortest form", () => {
  const sizes: [number, number][] = [
    [0, 1],
    [127, 1],
    [128, 2],
    [16_383, 2],
    [16_384, 3],
    [2 ** 32 - 1, 5],
    [2 ** 32, 5],
    [Number.MAX_SAFE_INTEGER, 8],
  ];
  for (const [value, bytes] of sizes) {
    const writer = new ByteWriter();
    writer.varint(value);
    const written = writer.finish();
    equal(written.length, bytes, `${value}`);
    const reader = new ByteReader(written);
    equal(reader.varint(), value);
    reader.end();
  }
});

Deno.test("whatever is written comes back in its order", () => {
  const item = fc.oneof(
    fc.record({ kind: fc.constant("varint" as const), value: fc.maxSafeNat() }),
    fc.record({ kind: fc.constant("byte" as const), value: fc.nat(255) }),
    fc.record({ kind: fc.constant("sized" as const), value: fc.uint8Array({ maxLength: 700 }) }),
  );
  fc.assert(fc.property(fc.array(item), (items) => {
    const writer = new ByteWriter();
    for (const { kind, value } of items) {
      if (kind === "varint") writer.varint(value);
      else if (kind === "byte") writer.byte(value);
      else writer.sized(value);
    }
    const reader = new ByteReader(writer.finish());
    for (const { kind, value } of items) {
      if (kind === "sized") deepEqual(new Uint8Array(reader.sizedView()), value);
      else equal(reader[kind](), value);
    }
    reader.end();
  }));
});

Deno.test("what a writer returned does not change when it goes on", () => {
  const writer = new ByteWriter();
  writer.raw(new Uint8Array(255).fill(1));
  const before = writer.finish();
  writer.raw(new Uint8Array(1000).fill(2));
  deepEqual(before, new Uint8Array(255).fill(1));
  equal(writer.finish().length, 1255);
});

Deno.test("a writer takes only whole numbers that a reader can give", () => {
  const writer = new ByteWriter();
  for (const value of [-1, 0.5, NaN, Infinity, 2 ** 53]) {
    throws(() => writer.varint(value), AssertionError);
  }
});

Deno.test("a copy stays when the bytes read change, a view does not", () => {
  const bytes = Uint8Array.of(1, 2, 3, 4);
  const reader = new ByteReader(bytes);
  const [copy, view] = [reader.copy(2), reader.view(2)];
  bytes.fill(9);
  deepEqual(copy, Uint8Array.of(1, 2));
  deepEqual(new Uint8Array(view), Uint8Array.of(9, 9));
});

Deno.test("bytes that are not there are never read", () => {
  const bytes = new Uint8Array(8).fill(0xff).subarray(0, 2);
  refuses(() => new ByteReader(bytes).view(3), /ends 1 bytes early/);
  refuses(() => new ByteReader(bytes).copy(3), /ends 1 bytes early/);
  refuses(() => new ByteReader(bytes).varint(), /ends 1 bytes early/);
  refuses(() => new ByteReader(Uint8Array.of(5, 1)).sizedView(), /ends 4 bytes early/);
  refuses(() => new ByteReader(new Uint8Array(0)).byte(), /ends 1 bytes early/);
});

Deno.test("numbers that are too large, or longer than they need to be, are refused", () => {
  refuses(() => new ByteReader(new Uint8Array(9).fill(0xff)).varint(), /above 2\^53 - 1/);
  const above = Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10);
  refuses(() => new ByteReader(above).varint(), /above 2\^53 - 1/);
  refuses(() => new ByteReader(Uint8Array.of(0x80, 0)).varint(), /longer than it needs/);
});

Deno.test("a count that the rest cannot hold is refused before anything is made of it", () => {
  const writer = new ByteWriter();
  writer.varint(1_000_000_000);
  writer.raw(new Uint8Array(32));
  refuses(() => new ByteReader(writer.finish()).count(16), /1000000000 entries do not fit/);
  equal(new ByteReader(Uint8Array.of(2, 0, 0)).count(1), 2);
});

Deno.test("bytes after the end are refused", () => {
  const reader = new ByteReader(Uint8Array.of(1, 2));
  equal(reader.byte(), 1);
  equal(reader.left, 1);
  refuses(() => reader.end(), /1 bytes follow/);
});
