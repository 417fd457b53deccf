// What stands at a record's name: what it looks like, that it comes back, and that nothing else passes for it.

import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { clientIdFromName, gidFromBytes } from "../../../core/gid.ts";
import { isGraftError } from "../../../core/errors.ts";
import { type Lsn, toLsn } from "../../../core/lsn.ts";
import { toPageCount } from "../../../core/page.ts";
import { PageSet } from "../../../core/page_set.ts";
import { encodeValue } from "../../codec/sealed_value.ts";
import type { CommitRecord, HeadRead } from "../../commit_log.ts";
import { headOf, newVolume, recordAfter, sparseSet, use } from "../../_testing.ts";
import { recordKey } from "./keys.ts";
import { carriesFrom } from "./positions.ts";
import { decodeRecordObject, encodeRecordObject, type RecordObject } from "./record_object.ts";
import { RecordRun } from "./record_run.ts";

const id = (kind: number, first: number) =>
  Uint8Array.from({ length: 16 }, (_, i) => i === 0 ? kind : first + i);
const digest = (first: number) => Uint8Array.from({ length: 16 }, (_, i) => first + i);
const VID = gidFromBytes("volume", id(0x80, 0x10));
const FIRST: CommitRecord = {
  vid: VID,
  lsn: toLsn(1),
  cid: gidFromBytes("client", id(0xc0, 0x30)),
  pageCount: toPageCount(7),
  timestampMs: 1_700_000_000_000,
  requestId: undefined,
  segments: [{ sid: gidFromBytes("segment", id(0xa0, 0x20)), pageSet: PageSet.from([1, 7]) }],
  digest: digest(0x40),
  parentDigest: new Uint8Array(16),
};
const SECOND: CommitRecord = {
  ...FIRST,
  lsn: toLsn(2),
  segments: [],
  digest: digest(0x50),
  parentDigest: FIRST.digest,
};
const BOUNDS = { from: toLsn(1), bytesMax: 1 << 20 };

/** The object of the last of these records, which carries them all. */
function objectOf(records: readonly CommitRecord[], deleted = false): RecordObject {
  let run: RecordRun | undefined;
  for (const each of records) {
    run = RecordRun.carrying(each, run === undefined ? [] : [run], BOUNDS);
  }
  ok(run !== undefined);
  const record = records[records.length - 1];
  return { lsn: toLsn(record.lsn + (deleted ? 1 : 0)), deleted, record, run };
}

/** A line of records of a fresh volume. */
function line(count: number, bytes = 10): CommitRecord[] {
  const vid = newVolume();
  const records: CommitRecord[] = [];
  let base: HeadRead = { head: undefined, version: null };
  for (let i = 0; i < count; i++) {
    const segments = [use(sparseSet(bytes))];
    const record = recordAfter(vid, base, { cid: clientIdFromName(`${i}`), segments });
    records.push(record);
    base = { head: headOf(record), version: null };
  }
  return records;
}

function recordsIn(run: RecordRun): CommitRecord[] {
  return Array.from({ length: run.count }, (_, i) => run.record(toLsn(run.bottom + i)));
}

function isDamaged(work: () => unknown, message: RegExp): void {
  throws(work, (error: unknown) => {
    equal(isGraftError(error, "damaged") && message.test(error.message), true, String(error));
    return true;
  });
}

const CID_HEX = "c03132333435363738393a3b3c3d3e3f";
const SID_HEX = "a02122232425262728292a2b2c2d2e2f";
const TIME_HEX = "80d095ffbc31";
const PAGES = PageSet.from([1, 7]).bytes;
const FIRST_HEX = CID_HEX + "07" + TIME_HEX + "00" + FIRST.digest.toHex() + "00".repeat(16) +
  "01" + SID_HEX + PAGES.length.toString(16).padStart(2, "0") + PAGES.toHex();
const SECOND_HEX = CID_HEX + "07" + TIME_HEX + "00" + SECOND.digest.toHex() + FIRST.digest.toHex() +
  "00";
const sized = (hex: string) => (hex.length / 2).toString(16).padStart(2, "0") + hex;
const CHECKSUM_DIGITS = 16;

// docs/formats/bucket_log.md draws these; a change here is a new format
Deno.test("objects are those of format 1, byte by byte", () => {
  const hex = (object: RecordObject) => encodeRecordObject(object).toHex();
  const body = (object: RecordObject) => hex(object).slice(0, -CHECKSUM_DIGITS);
  equal(body(objectOf([FIRST])), "01" + "00" + "01" + sized(FIRST_HEX));
  equal(body(objectOf([FIRST, SECOND])), "01" + "00" + "02" + sized(SECOND_HEX) + sized(FIRST_HEX));
  equal(body(objectOf([FIRST], true)), "01" + "01" + "01" + sized(FIRST_HEX));
  equal(hex(objectOf([FIRST])).slice(-CHECKSUM_DIGITS), "cd23687563ac50ec");
});

Deno.test("an object comes back, with all that it carries", () => {
  const records = line(100, 60);
  for (const deleted of [false, true]) {
    const object = objectOf(records, deleted);
    const bytes = encodeRecordObject(object);
    const read = decodeRecordObject(object.record.vid, object.lsn, bytes);
    equal(read.deleted, deleted);
    equal(read.lsn, deleted ? 101 : 100);
    deepEqual(read.record, records[99]);
    deepEqual(recordsIn(read.run), records);
    equal(read.run.bottom, 1);
    deepEqual(encodeRecordObject(read), bytes);
  }
});

Deno.test("a run carries no further than its bounds", () => {
  const records = line(200);
  const all = objectOf(records.slice(0, 199)).run;
  const carry = (from: number, bytesMax: number, older = [all]) =>
    RecordRun.carrying(records[199], older, { from: toLsn(from), bytesMax });
  equal(carry(1, 1 << 20).count, 200);
  equal(carry(carriesFrom(toLsn(200)), 1 << 20).bottom, 193);
  equal(carry(200, 1 << 20).count, 1);
  const each = all.bytes.length / 199;
  equal(carry(1, Math.ceil(each * 10)).count, 11);
  equal(carry(1, 0).count, 1);
  equal(carry(1, 1 << 20, []).count, 1);
  // over the edge between two runs
  const [upper, lower] = [carriedAbove(records, 150), objectOf(records.slice(0, 150)).run];
  equal(carry(1, 1 << 20, [upper, lower]).bottom, 1);
  equal(carry(101, 1 << 20, [upper, lower]).bottom, 101);
  equal(carry(160, 1 << 20, [upper, lower]).bottom, 160);
  equal(carry(1, Math.ceil(each * 10), [upper, lower]).count, 11);
  deepEqual(recordsIn(carry(101, 1 << 20, [upper, lower])), records.slice(100));
});

/** The run of 199 records that carries those above an LSN only. */
function carriedAbove(records: readonly CommitRecord[], lsn: number): RecordRun {
  let run: RecordRun | undefined;
  for (const record of records.slice(lsn, 199)) {
    const bounds = { from: toLsn(lsn + 1), bytesMax: 1 << 20 };
    run = RecordRun.carrying(record, run === undefined ? [] : [run], bounds);
  }
  ok(run !== undefined);
  return run;
}

Deno.test("any flipped bit, and any missing end, is damage that names the object", () => {
  const object = objectOf([FIRST, SECOND]);
  const bytes = encodeRecordObject(object);
  const decode = (damaged: Uint8Array) => () => decodeRecordObject(VID, object.lsn, damaged);
  const named = new RegExp(`"${recordKey(VID, object.lsn)}"`);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] ^= 1 << (bit & 7);
    isDamaged(decode(flipped), named);
  }
  for (let length = 0; length < bytes.length; length++) {
    isDamaged(decode(bytes.subarray(0, length)), named);
  }
});

Deno.test("an object at another name is damage", () => {
  const bytes = encodeRecordObject(objectOf([FIRST, SECOND]));
  isDamaged(() => decodeRecordObject(VID, toLsn(3), bytes), /checksum/);
  isDamaged(() => decodeRecordObject(newVolume(), toLsn(2), bytes), /checksum/);
});

/** A sealed object whose body is whatever a test makes of it. */
function sealed(lsn: Lsn, body: string): Uint8Array {
  return encodeValue(recordKey(VID, lsn), (writer) => writer.raw(Uint8Array.fromHex(body)));
}

Deno.test("a sealed object that breaks a rule is damage", () => {
  const refused = (lsn: number, body: string, message: RegExp) => {
    isDamaged(() => decodeRecordObject(VID, toLsn(lsn), sealed(toLsn(lsn), body)), message);
  };
  const [first, second] = [sized(FIRST_HEX), sized(SECOND_HEX)];
  equal(decodeRecordObject(VID, toLsn(1), sealed(toLsn(1), "0001" + first)).record.lsn, 1);
  refused(1, "0201" + first, /flags are 2/);
  refused(1, "0000", /carries 0 records/);
  refused(1, "0002" + second + first, /carries 2 records up to LSN 1/);
  refused(1, "0101" + first, /carries 1 records up to LSN 0/);
  refused(200, "0064" + second + first, /100 entries do not fit/);
  refused(3, "0003" + second + first, /ends 1 bytes early/);
  refused(2, "0002" + second + first + "00", /bytes follow/);
  refused(2, "0002" + second + second, /LSN 2 is not chained/);
  refused(1, "0001" + second, /LSN 1 is not chained/);
  refused(2, "0001" + sized(SECOND_HEX + "00"), /bytes follow/);
});

Deno.test("20,000 mutated objects decode or are refused, and nothing else", () => {
  const source = encodeRecordObject(objectOf([FIRST, SECOND])).slice(1, -8);
  const results = { decoded: 0, refused: 0 };
  let state = 0x9e3779b9;
  const random = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  for (let i = 0; i < 20_000; i++) {
    const mutated = source.slice();
    for (let times = 1 + random() % 2; times > 0; times--) {
      mutated[random() % mutated.length] ^= 1 << random() % 8;
    }
    const bytes = encodeValue(recordKey(VID, toLsn(2)), (writer) => writer.raw(mutated));
    try {
      recordsIn(decodeRecordObject(VID, toLsn(2), bytes).run);
      results.decoded++;
    } catch (error) {
      if (!isGraftError(error, "damaged")) throw error;
      results.refused++;
    }
  }
  // both must happen, or the mutations are too wild or too tame to show anything
  ok(results.decoded > 1_000 && results.refused > 1_000, JSON.stringify(results));
});
