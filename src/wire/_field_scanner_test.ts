import assert from "node:assert/strict";
import { WireType } from "@bufbuild/protobuf/wire";
import { FieldScanner, type FieldSink } from "./_field_scanner.ts";
import { join, randomFrom, refusalOf } from "./_testing.ts";

/** Writes down what it is told. Field 1 is a varint, 2 bytes, 3 a message; the rest is unknown. */
class Recorder implements FieldSink {
  readonly events: string[] = [];
  readonly #targets = new Map<number, Uint8Array>();

  begin(field: number, wireType: WireType): boolean {
    const wanted = field === 1 ? WireType.Varint : WireType.LengthDelimited;
    if (field <= 3) assert.equal(wireType, wanted);
    return field <= 3;
  }

  varint(field: number, value: number): void {
    this.events.push(`${field}=${value}`);
  }

  bytes(field: number, length: number): Uint8Array | "message" {
    this.events.push(`${field}[${length}]`);
    if (field === 3) return "message";
    const target = new Uint8Array(length);
    this.#targets.set(field, target);
    return target;
  }

  end(field: number): void {
    this.events.push(`end ${field} ${this.#targets.get(field)?.toHex() ?? ""}`.trim());
    this.#targets.delete(field);
  }
}

function scan(body: Uint8Array, next: (left: number) => number, expected?: number): string[] {
  const sink = new Recorder();
  const scanner = new FieldScanner(sink, "the test", expected);
  for (let at = 0; at < body.length;) {
    const length = next(body.length - at);
    scanner.push(body.subarray(at, at + length));
    at += length;
  }
  assert.equal(scanner.position, body.length);
  scanner.finish();
  return sink.events;
}

const INNER = Uint8Array.of(0x08, 0x96, 0x01, 0x12, 3, 7, 8, 9, 0x20, 5);
const BODY = join(
  Uint8Array.of(0x08, 0x01), // 1 = 1
  Uint8Array.of(0x12, 2, 0xab, 0xcd), // 2 = ab cd
  Uint8Array.of(0x1a, INNER.length),
  INNER,
  Uint8Array.of(0x23, 0x08, 0x07, 0x24), // group 4 with a field 1 that is not ours
  Uint8Array.of(0x1a, 0), // an empty message
  Uint8Array.of(0x12, 0), // no bytes
);
const EVENTS = [
  "1=1",
  "2[2]",
  "end 2 abcd",
  "3[10]",
  "1=150",
  "2[3]",
  "end 2 070809",
  "end 3",
  "3[0]",
  "end 3",
  "2[0]",
  "end 2",
];

Deno.test("fields are reported in order, those of a message inside between its length and its end", () => {
  assert.deepEqual(scan(BODY, (left) => left), EVENTS);
  assert.deepEqual(scan(BODY, (left) => left, BODY.length), EVENTS);
});

Deno.test("chunks of any size report the same", () => {
  assert.deepEqual(scan(BODY, () => 1), EVENTS);
  const random = randomFrom(7);
  for (let round = 0; round < 200; round++) {
    assert.deepEqual(scan(BODY, (left) => 1 + random(left)), EVENTS);
  }
});

Deno.test("empty chunks change nothing", () => {
  const sink = new Recorder();
  const scanner = new FieldScanner(sink, "the test");
  for (const byte of BODY) {
    scanner.push(new Uint8Array(0));
    scanner.push(Uint8Array.of(byte));
  }
  scanner.finish();
  assert.deepEqual(sink.events, EVENTS);
});

Deno.test("a varint beyond 2^53 is not exact, but beyond 2^53", () => {
  const events = scan(Uint8Array.of(0x08, ...new Uint8Array(9).fill(0xff), 0x01), (left) => left);
  assert.ok(Number(events[0].slice(2)) > Number.MAX_SAFE_INTEGER);
});

Deno.test("the end is refused anywhere but between two fields", () => {
  const whole = new Set([2, 6, 18, 22, 24, 26]);
  for (let length = 1; length <= BODY.length; length++) {
    const cut = () => scan(BODY.subarray(0, length), (left) => left);
    if (whole.has(length)) cut();
    else {assert.match(
        refusalOf(cut),
        /^Cannot read the test: the body ends early, after \d+ bytes$/,
      );}
  }
});

Deno.test("bytes that are on their way can be sent to another target", () => {
  const [first, second] = [new Uint8Array(4), new Uint8Array(4)];
  const sink = new Recorder();
  sink.bytes = () => first;
  const scanner = new FieldScanner(sink, "the test");
  scanner.push(Uint8Array.of(0x12, 4, 1, 2));
  second.set(first);
  scanner.retarget(new Uint8Array(4), new Uint8Array(4));
  scanner.retarget(first, second);
  scanner.push(Uint8Array.of(3, 4));
  scanner.finish();
  assert.deepEqual([...first], [1, 2, 0, 0]);
  assert.deepEqual([...second], [1, 2, 3, 4]);
});

Deno.test("a sink's target of another length is a bug", () => {
  const sink = new Recorder();
  sink.bytes = () => new Uint8Array(3);
  const scanner = new FieldScanner(sink, "the test");
  assert.throws(() => scanner.push(Uint8Array.of(0x12, 4)), { name: "AssertionError" });
});

Deno.test("a sink that throws ends the scan with its error", () => {
  const sink = new Recorder();
  sink.varint = () => {
    throw new Error("not this one");
  };
  const scanner = new FieldScanner(sink, "the test");
  assert.throws(() => scanner.push(BODY), { message: "not this one" });
});
