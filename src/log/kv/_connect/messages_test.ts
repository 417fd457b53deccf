// The messages against an independent codec, which reads the fields by the numbers of denokv's schema.

import { deepEqual, equal, throws } from "node:assert/strict";
import protobuf from "protobufjs";
import { packKey } from "./key_codec.ts";
import {
  decodeRead,
  decodeWatch,
  decodeWrite,
  encodeRead,
  encodeWatch,
  WriteRequest,
} from "./messages.ts";

const SCHEMA = `syntax = "proto3";
  message SnapshotRead { repeated ReadRange ranges = 1; }
  message ReadRange { bytes start = 1; bytes end = 2; int32 limit = 3; bool reverse = 4; }
  message SnapshotReadOutput {
    repeated ReadRangeOutput ranges = 1;
    bool read_disabled = 2;
    bool read_is_strongly_consistent = 4;
    int32 status = 8;
    bytes of_later_versions = 99;
  }
  message ReadRangeOutput { repeated KvEntry values = 1; }
  message KvEntry { bytes key = 1; bytes value = 2; int32 encoding = 3; bytes versionstamp = 4; }
  message AtomicWrite { repeated Check checks = 1; repeated Mutation mutations = 2; }
  message Check { bytes key = 1; bytes versionstamp = 2; }
  message Mutation {
    bytes key = 1;
    KvValue value = 2;
    int32 mutation_type = 3;
    int64 expire_at_ms = 4;
  }
  message KvValue { bytes data = 1; int32 encoding = 2; }
  message AtomicWriteOutput { int32 status = 1; bytes versionstamp = 2; repeated uint32 failed = 4; }
  message Watch { repeated WatchKey keys = 1; }
  message WatchKey { bytes key = 1; }
  message WatchOutput { int32 status = 1; repeated bytes keys = 2; }`;

const { root } = protobuf.parse(SCHEMA, { keepCase: true });

function decode(type: string, bytes: Uint8Array): unknown {
  const message = root.lookupType(type);
  return message.toObject(message.decode(bytes), { bytes: Array, longs: Number });
}

function encode(type: string, fields: Record<string, unknown>): Uint8Array {
  return root.lookupType(type).encode(fields).finish();
}

const STAMP = "00000000000000a10000";
const bytesOf = (text: string) => [...Uint8Array.fromHex(text)];
const packed = (...key: string[]) => [...packKey(key).bytes];

Deno.test("a write has its checks and mutations", () => {
  const request = new WriteRequest();
  request.check(["a"], null);
  request.check(["b"], STAMP);
  request.set(["a"], Uint8Array.of(1, 2), 0);
  request.set(["feed", Symbol("stamp")], Uint8Array.of(3), 1_800_000_000_000);
  request.delete(["c"]);
  deepEqual(decode("AtomicWrite", request.finish()), {
    checks: [{ key: packed("a") }, { key: packed("b"), versionstamp: bytesOf(STAMP) }],
    mutations: [
      { key: packed("a"), value: { data: [1, 2], encoding: 3 }, mutation_type: 1 },
      {
        key: packed("feed"),
        value: { data: [3], encoding: 3 },
        mutation_type: 9,
        expire_at_ms: 1_800_000_000_000,
      },
      { key: packed("c"), mutation_type: 2 },
    ],
  });
});

Deno.test("a read has its ranges, a watch its key", () => {
  const [start, end] = [Uint8Array.of(1), Uint8Array.of(1, 0)];
  deepEqual(decode("SnapshotRead", encodeRead([{ start, end, limit: 7 }])), {
    ranges: [{ start: [1], end: [1, 0], limit: 7 }],
  });
  deepEqual(decode("Watch", encodeWatch(["bell"])), { keys: [{ key: packed("bell") }] });
});

const VALUES = [{
  key: Uint8Array.of(2, 0x61, 0),
  value: Uint8Array.of(9),
  encoding: 3,
  versionstamp: Uint8Array.fromHex(STAMP),
}];

Deno.test("what a read brought is there, bytes as bytes and others as undefined", () => {
  const others = VALUES.map((value) => ({ ...value, encoding: 1 }));
  const answer = encode("SnapshotReadOutput", {
    ranges: [{ values: VALUES }, {}, { values: others }],
    read_is_strongly_consistent: true,
    status: 1,
    of_later_versions: Uint8Array.of(1),
  });
  const entry = { key: VALUES[0].key, value: VALUES[0].value, versionstamp: STAMP };
  deepEqual(decodeRead(answer, true), {
    ranges: [[entry], [], [{ ...entry, value: undefined }]],
    strong: true,
  });
});

Deno.test("only a strong read that succeeded is believed", () => {
  const strong = { read_is_strongly_consistent: true };
  const believed = (fields: Record<string, unknown>, hasStatus: boolean) =>
    decodeRead(encode("SnapshotReadOutput", fields), hasStatus).strong;
  equal(believed({ ...strong, status: 1 }, true), true);
  equal(believed({ ...strong }, false), true);
  equal(believed({ status: 1 }, true), false);
  equal(believed({ ...strong, status: 2 }, true), false);
  equal(believed({ ...strong }, true), false);
  equal(believed({ ...strong, status: 1, read_disabled: true }, true), false);
});

Deno.test("what became of a write is told apart", () => {
  const answer = (fields: Record<string, unknown>) =>
    decodeWrite(encode("AtomicWriteOutput", fields));
  const versionstamp = Uint8Array.fromHex(STAMP);
  deepEqual(answer({ status: 1, versionstamp }), { status: "landed", versionstamp: STAMP });
  deepEqual(answer({ status: 2, failed: [0] }), { status: "failed check" });
  deepEqual(answer({ status: 5 }), { status: "disabled" });
  deepEqual(answer({}), { status: "unknown" });
});

Deno.test("a watch that is not served is noticed", () => {
  equal(decodeWatch(encode("WatchOutput", { status: 1 })), true);
  equal(decodeWatch(encode("WatchOutput", { status: 2 })), false);
});

Deno.test("bytes that are no message are refused", () => {
  throws(() => decodeRead(Uint8Array.of(10, 200), true));
  throws(() => decodeWrite(Uint8Array.of(255, 255)));
});
