// Every value of the log: what it looks like, that it comes back, and that nothing else passes for it.

import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { isGraftError } from "../../core/errors.ts";
import { gidFromBytes, type GidKind, type SegmentId, type VolumeId } from "../../core/gid.ts";
import { PAGE_COUNT_MAX } from "../../core/limits.ts";
import { toLsn } from "../../core/lsn.ts";
import { toPageCount } from "../../core/page.ts";
import { PageSet } from "../../core/page_set.ts";
import type { CommitRecord, Registration } from "../commit_log.ts";
import { decodeFeed, encodeFeed, type FeedEntry } from "../kv/_feed/feed_entry.ts";
import type { ByteReader } from "./byte_reader.ts";
import type { ByteWriter } from "./byte_writer.ts";
import { readRecord, writeRecord } from "./commit_record.ts";
import { decodeValue, encodeValue } from "./sealed_value.ts";
import { readRegistration, writeRegistration } from "./segment_registration.ts";
import { readHead, type StoredHead, writeHead } from "./volume_head.ts";

const KIND_BYTE = { volume: 0x80, segment: 0xa0, client: 0xc0 };

function id<K extends GidKind>(kind: K, tail: Uint8Array): ReturnType<typeof gidFromBytes<K>> {
  return gidFromBytes(kind, Uint8Array.of(KIND_BYTE[kind], ...tail));
}

const tail = fc.uint8Array({ minLength: 15, maxLength: 15 });
const vids = tail.map((bytes) => id("volume", bytes));
const sids = tail.map((bytes) => id("segment", bytes));
const cids = tail.map((bytes) => id("client", bytes));
const lsns = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }).map(toLsn);
const pageCounts = fc.nat(PAGE_COUNT_MAX).map(toPageCount);
const digests = fc.uint8Array({ minLength: 16, maxLength: 16 });
const times = fc.maxSafeNat();
const pageSets = fc.array(fc.integer({ min: 1, max: PAGE_COUNT_MAX }), { maxLength: 40 })
  .map((members) => PageSet.from(members));

const heads: fc.Arbitrary<StoredHead> = fc.record({
  deleted: fc.boolean(),
  lsn: lsns,
  pageCount: pageCounts,
  cid: cids,
  digest: digests,
  timestampMs: times,
});
const records: fc.Arbitrary<CommitRecord> = fc.record({
  vid: vids,
  lsn: lsns,
  cid: cids,
  pageCount: pageCounts,
  timestampMs: times,
  requestId: fc.option(fc.uint8Array({ maxLength: 40 }), { nil: undefined }),
  digest: digests,
  parentDigest: digests,
  segments: fc.array(fc.record({ sid: sids, pageSet: pageSets }), { maxLength: 6 }),
});
const registrations: fc.Arbitrary<Registration> = fc.record({
  sid: sids,
  timestampMs: times,
  sizeBytes: fc.maxSafeNat(),
  volumes: fc.array(fc.record({ vid: vids, digest: digests, pageSet: pageSets }), { maxLength: 6 }),
});
const feeds: fc.Arbitrary<FeedEntry[]> = fc.array(
  fc.record({ vid: vids, lsn: lsns, deleted: fc.boolean() }),
);

Deno.test("a head comes back", () => {
  fc.assert(fc.property(heads, (head) => {
    const value = encodeValue("k", (writer) => writeHead(writer, head));
    deepEqual(decodeValue("k", value, readHead), head);
  }));
});

Deno.test("a record comes back", () => {
  fc.assert(fc.property(records, (record) => {
    const value = encodeValue("k", (writer) => writeRecord(writer, record));
    deepEqual(decodeValue("k", value, (r) => readRecord(r, record.vid, record.lsn)), record);
  }));
});

Deno.test("a registration comes back", () => {
  fc.assert(fc.property(registrations, (registration) => {
    const value = encodeValue("k", (writer) => writeRegistration(writer, registration));
    const read = decodeValue("k", value, (reader) => readRegistration(reader, registration.sid));
    deepEqual(read, registration);
  }));
});

Deno.test("a feed entry comes back", () => {
  fc.assert(fc.property(feeds, (entries) => deepEqual(decodeFeed(encodeFeed(entries)), entries)));
});

const bytes = (first: number) => Uint8Array.from({ length: 15 }, (_, i) => first + i);
const digest = (first: number) => Uint8Array.from({ length: 16 }, (_, i) => first + i);
const VID = id("volume", bytes(0x10));
const SID = id("segment", bytes(0x20));
const CID = id("client", bytes(0x30));
const HEAD: StoredHead = {
  deleted: false,
  lsn: toLsn(300),
  pageCount: toPageCount(7),
  cid: CID,
  digest: digest(0x40),
  timestampMs: 1_700_000_000_000,
};
const RECORD: CommitRecord = {
  vid: VID,
  lsn: toLsn(300),
  cid: CID,
  pageCount: toPageCount(7),
  timestampMs: 1_700_000_000_000,
  requestId: Uint8Array.of(1, 2, 3),
  digest: digest(0x40),
  parentDigest: digest(0x50),
  segments: [{ sid: SID, pageSet: PageSet.from([1, 7]) }],
};
const REGISTRATION: Registration = {
  sid: SID,
  timestampMs: 1_700_000_000_000,
  sizeBytes: 4096,
  volumes: [{ vid: VID, digest: digest(0x60), pageSet: PageSet.from([1, 7]) }],
};

function hex(value: Uint8Array): string {
  return Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const CID_HEX = "c0303132333435363738393a3b3c3d3e";
const SID_HEX = "a0202122232425262728292a2b2c2d2e";
const VID_HEX = "801011121314151617" + "18191a1b1c1d1e";
const TIME_HEX = "80d095ffbc31";
const PAGES_HEX = "1a" + hex(PageSet.from([1, 7]).bytes);

// docs/formats/log.md draws these; a change here is a new format
Deno.test("the values are those of format 1, byte by byte", () => {
  const checksum = 16;
  const encode = (write: (writer: ByteWriter) => void) => hex(encodeValue("k", write));
  equal(
    encode((writer) => writeHead(writer, HEAD)).slice(0, -checksum),
    `01` + `00` + `ac02` + `07` + CID_HEX + hex(HEAD.digest) + TIME_HEX,
  );
  equal(
    encode((writer) => writeHead(writer, { ...HEAD, deleted: true })).slice(0, 4),
    `0101`,
  );
  equal(
    encode((writer) => writeRecord(writer, RECORD)).slice(0, -checksum),
    `01` + CID_HEX + `07` + TIME_HEX + `0103010203` + hex(RECORD.digest) +
      hex(RECORD.parentDigest) + `01` + SID_HEX + PAGES_HEX,
  );
  equal(
    encode((writer) => writeRegistration(writer, REGISTRATION)).slice(0, -checksum),
    `01` + TIME_HEX + `8020` + `01` + VID_HEX + hex(digest(0x60)) + PAGES_HEX,
  );
  equal(
    hex(encodeFeed([{ vid: VID, lsn: toLsn(300), deleted: true }])).slice(0, -checksum),
    `01` + `01` + VID_HEX + `01` + `ac02`,
  );
  equal(encode((writer) => writer.byte(7)), "0107" + "c6c03c670a69fbc3");
});

function isDamaged(work: () => unknown, message: RegExp): void {
  throws(work, (error: unknown) => {
    equal(isGraftError(error, "damaged") && message.test(error.message), true, String(error));
    return true;
  });
}

Deno.test("a value that is none is damage, and the message names the key", () => {
  const read = () => 1;
  const value = encodeValue("head/x", () => {});
  equal(decodeValue("head/x", value, read), 1);
  isDamaged(() => decodeValue("head/x", null, read), /"head\/x": it is not bytes/);
  isDamaged(() => decodeValue("head/x", "text", read), /"head\/x": it is not bytes/);
  isDamaged(() => decodeValue("head/x", new Uint8Array(8), read), /"head\/x": .* 8 bytes/);
  isDamaged(() => decodeValue("head/y", value, read), /"head\/y": its checksum differs/);
  const newer = value.slice();
  newer[0] = 2;
  isDamaged(() => decodeValue("head/x", newer, read), /version 2 instead of 1/);
  const longer = encodeValue("head/x", (writer) => writer.byte(0));
  isDamaged(() => decodeValue("head/x", longer, read), /1 bytes follow/);
});

Deno.test("any flipped bit of a value is damage", () => {
  const value = encodeValue("k", (writer) => writeRecord(writer, RECORD));
  for (let bit = 0; bit < value.length * 8; bit++) {
    const flipped = value.slice();
    flipped[bit >> 3] ^= 1 << (bit & 7);
    isDamaged(
      () => decodeValue("k", flipped, (reader) => readRecord(reader, VID, RECORD.lsn)),
      /"k"/,
    );
  }
});

Deno.test("a bug is not taken for damage", () => {
  const value = encodeValue("k", () => {});
  const bug = () => {
    throw new TypeError("a bug");
  };
  throws(() => decodeValue("k", value, bug), TypeError);
});

const READERS: [string, Uint8Array, (reader: ByteReader) => unknown][] = [
  ["head", body((writer) => writeHead(writer, HEAD)), readHead],
  [
    "record",
    body((writer) => writeRecord(writer, RECORD)),
    (reader) => readRecord(reader, VID as VolumeId, RECORD.lsn),
  ],
  [
    "registration",
    body((writer) => writeRegistration(writer, REGISTRATION)),
    (reader) => readRegistration(reader, SID as SegmentId),
  ],
];

/** A value without its checksum, which would catch every mutation before the decoders see it. */
function body(write: (writer: ByteWriter) => void): Uint8Array {
  return encodeValue("k", write).slice(1, -8);
}

function mutate(source: Uint8Array, random: () => number): Uint8Array {
  const mutated = Array.from(source);
  for (let times = 1 + random() % 3; times > 0; times--) {
    const at = random() % (mutated.length + 1);
    const kind = random() % 4;
    if (kind === 0) mutated[Math.min(at, mutated.length - 1)] ^= 1 << random() % 8;
    else if (kind === 1) mutated.splice(at, 1 + random() % 4);
    else if (kind === 2) mutated.splice(at, 0, random() & 0xff, random() & 0xff);
    else mutated.splice(at, 1, [0, 0x7f, 0x80, 0xff][random() % 4]);
    if (mutated.length === 0) mutated.push(0);
  }
  return Uint8Array.from(mutated);
}

/** Repeatable chance: xorshift. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

Deno.test("20,000 mutated values decode or are refused, and nothing else", () => {
  const random = seeded(0x9e3779b9);
  const results = { decoded: 0, refused: 0 };
  for (let i = 0; i < 20_000; i++) {
    const [, source, read] = READERS[i % READERS.length];
    const mutated = mutate(source, random);
    const value = encodeValue("k", (writer) => writer.raw(mutated));
    try {
      decodeValue("k", value, read);
      results.decoded++;
    } catch (error) {
      if (!isGraftError(error, "damaged")) throw error;
      results.refused++;
    }
  }
  // both must happen, or the mutations are too wild or too tame to show anything
  equal(results.decoded > 1_000 && results.refused > 1_000, true, JSON.stringify(results));
});
