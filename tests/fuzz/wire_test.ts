// Mutated bodies through every decoder of src/wire: a result or GraftError `invalid`, nothing else, and
// no memory beyond the body's own. The seed is fixed; GRAFT_FUZZ_SEED and GRAFT_FUZZ_RUNS change it.

import assert from "node:assert/strict";
import { isGraftError } from "../../src/core/errors.ts";
import { parseGid } from "../../src/core/gid.ts";
import type { Lsn } from "../../src/core/lsn.ts";
import type { PageCount } from "../../src/core/page.ts";
import { PageSet } from "../../src/core/page_set.ts";
import { pagesOf, randomFrom } from "../../src/wire/_testing.ts";
import { WasmCodec } from "../../src/segment/codecs/wasm_codec.ts";
import * as wire from "../../src/wire/messages.ts";
import * as v1 from "../../src/wire/v1/mod.ts";

const RUNS = Number(Deno.env.get("GRAFT_FUZZ_RUNS") ?? 100_000);
const SEED = Number(Deno.env.get("GRAFT_FUZZ_SEED") ?? 20_240_607);
const GROWTH_BYTES_MAX = 256 * 2 ** 20;

const vid = parseGid("volume", "GonwTRj2SohJzYLLjD9nSq");
const cid = parseGid("client", "Qi81Dp4C52DFSHbKUUos7j");
const sid = parseGid("segment", "LkygN9v2agcHD6dztax1qe");
const lsn = 300 as Lsn;
const pageCount = 70_000 as PageCount;
const pageSet = PageSet.union([{ first: 1, last: 600 }, PageSet.from([7000, 65_536, 2 ** 28])]);
const fewPages = PageSet.from([1, 2, 300]);
const segments = [{ sid, pageSet }, { sid, pageSet: fewPages }];
const snapshot = {
  vid,
  cid,
  lsn,
  checkpointLsn: 1 as Lsn,
  pageCount,
  timestampMs: 1_717_171_717_171,
};
const pages = pagesOf([1, 300, 2 ** 28]);
const range = { start: 2 as Lsn, end: lsn };

const codec = new WasmCodec();

type Random = (below: number) => number;

/** A decoder and valid bodies to start from. */
interface Target {
  readonly name: string;
  readonly bodies: readonly Uint8Array[];
  /** What came of it: "ok" or the error's message. */
  run(body: Uint8Array, random: Random): string;
}

function target(
  name: string,
  decode: (bytes: Uint8Array) => unknown,
  ...bodies: Uint8Array[]
): Target {
  return { name, bodies, run: (body) => outcomeOf(() => decode(body)) };
}

const TARGETS: readonly Target[] = [
  target(
    "snapshot request",
    wire.decodeSnapshotRequest,
    wire.encodeSnapshotRequest({ vid, lsn }),
  ),
  target("snapshot response", wire.decodeSnapshotResponse, wire.encodeSnapshotResponse(snapshot)),
  target("pull request", wire.decodePullRequest, wire.encodePullRequest({ vid, range })),
  target(
    "pull graft response",
    wire.decodePullGraftResponse,
    wire.encodePullGraftResponse({ snapshot, range, graft: pageSet }),
  ),
  target(
    "pull commits response",
    wire.decodePullCommitsResponse,
    wire.encodePullCommitsResponse([{ snapshot, segments }, { snapshot, segments: [] }]),
  ),
  target(
    "commit request",
    wire.decodeCommitRequest,
    wire.encodeCommitRequest({ vid, cid, snapshotLsn: lsn, pageCount, segments }),
  ),
  target("commit response", wire.decodeCommitResponse, wire.encodeCommitResponse(snapshot)),
  target(
    "read pages request",
    wire.decodeReadPagesRequest,
    wire.encodeReadPagesRequest({ vid, lsn, pageSet }),
    wire.encodeReadPagesRequest({ vid, lsn, pageSet: fewPages }),
  ),
  target(
    "read pages response",
    wire.decodeReadPagesResponse,
    wire.encodeReadPagesResponse(pages.indexes, pages.page),
  ),
  target(
    "write pages response",
    wire.decodeWritePagesResponse,
    wire.encodeWritePagesResponse(segments),
  ),
  target("error", wire.decodeGraftErr, wire.encodeGraftErr({ code: 3, message: "Cannot commit" })),
  {
    name: "write pages request",
    bodies: [
      wire.encodeWritePagesRequest(vid, pages),
      wire.encodeWritePagesRequest(vid, pagesOf([7])),
    ],
    run: assertSplitsAgree,
  },
  {
    name: "page stream",
    bodies: [streamOf(v1.encodeStreamHeader({ vid, lsn }))],
    run: (body, random) => assertStreamSplitsAgree(v1.PageStreamDecoder, body, random),
  },
  {
    name: "commit stream",
    bodies: [streamOf(v1.encodeCommitHeader({
      vid,
      cid,
      requestId: new Uint8Array(16).fill(7),
      baseLsn: lsn,
      baseDigest: new Uint8Array(16).fill(9),
      pageCount,
    }))],
    run: (body, random) => assertStreamSplitsAgree(v1.CommitStreamDecoder, body, random),
  },
  target(
    "event",
    (bytes) => v1.decodeVolumeEvent("commit", new TextDecoder().decode(bytes)),
    new TextEncoder().encode(
      v1.encodeVolumeEvent({
        type: "commit",
        ...snapshot,
        digest: new Uint8Array(16),
        since: 2,
        graft: fewPages,
      }).split("data: ")[1],
    ),
  ),
];

/** What came of a decode: the error's message, or "ok". Anything but `invalid` is thrown on. */
function outcomeOf(decode: () => unknown): string {
  try {
    decode();
    return "ok";
  } catch (error) {
    if (isGraftError(error, "invalid")) return error.message;
    throw error;
  }
}

/** Whole or in chunks, a write request ends in the same way with the same pages. */
function assertSplitsAgree(body: Uint8Array, random: Random): string {
  const whole = new wire.WritePagesDecoder(body.length);
  const wholeOutcome = outcomeOf(() => {
    whole.push(body);
    whole.finish();
  });
  const split = new wire.WritePagesDecoder(body.length);
  const splitOutcome = outcomeOf(() => {
    for (let at = 0; at < body.length;) {
      const next = at + 1 + random(random(2) === 0 ? 20 : body.length);
      split.push(body.subarray(at, next));
      at = next;
    }
    split.finish();
  });
  assert.equal(splitOutcome, wholeOutcome);
  assert.deepEqual(split.pages.indexes, whole.pages.indexes);
  assert.ok(split.pages.count * 4096 <= body.length + 4096, "Pages were made up");
  return wholeOutcome;
}

/** Frames of both codecs, and the end. */
function streamOf(header: Uint8Array): Uint8Array {
  const encoder = new v1.PageStreamEncoder(header);
  encoder.addPages(pages);
  encoder.addPages(pagesOf([5, 6]), (raw) => codec.compress(raw));
  encoder.end();
  return encoder.take();
}

/** Whole or in chunks, a stream ends in the same way with the same pages, all of them checked. */
function assertStreamSplitsAgree(
  Decoder: typeof v1.PageStreamDecoder | typeof v1.CommitStreamDecoder,
  body: Uint8Array,
  random: Random,
): string {
  const decode = (chunkBytes: () => number) => {
    const found: number[] = [];
    const decompress: v1.Decompress = (stored, rawLength) => codec.decompress(stored, rawLength);
    const decoder = new Decoder({ take: (pageIdx) => found.push(pageIdx), decompress });
    const outcome = outcomeOf(() => {
      for (let at = 0; at < body.length;) {
        const next = at + chunkBytes();
        decoder.push(body.subarray(at, next));
        at = next;
      }
      decoder.finish();
    });
    return { outcome, found };
  };
  const whole = decode(() => body.length);
  assert.deepEqual(decode(() => 1 + random(random(2) === 0 ? 20 : body.length)), whole);
  const valid = [1, 300, 2 ** 28, 5, 6];
  assert.deepEqual(whole.found, valid.slice(0, whole.found.length), "Pages were made up");
  return whole.outcome;
}

/** Places near the start matter more: the rest of a body of pages is page bytes. */
function placeIn(body: Uint8Array, random: Random): number {
  const near = Math.min(body.length, 64);
  return random(random(3) === 0 ? body.length : near);
}

const EDGE_BYTES = [0x00, 0x01, 0x07, 0x08, 0x0a, 0x12, 0x1b, 0x1c, 0x7f, 0x80, 0xff];

const MUTATIONS: readonly ((body: Uint8Array, random: Random) => Uint8Array)[] = [
  (body, random) => {
    const changed = body.slice();
    changed[placeIn(body, random)] ^= 1 << random(8);
    return changed;
  },
  (body, random) => {
    const changed = body.slice();
    changed[placeIn(body, random)] = EDGE_BYTES[random(EDGE_BYTES.length)];
    return changed;
  },
  (body, random) => body.slice(0, random(2) === 0 ? random(body.length) : placeIn(body, random)),
  (body, random) => splice(body, placeIn(body, random), random(4), new Uint8Array(0)),
  (body, random) => splice(body, placeIn(body, random), 0, randomBytes(random)),
  // a length or a number that is far too large
  (body, random) =>
    splice(body, placeIn(body, random), 1, new Uint8Array(1 + random(11)).fill(0xff)),
  (body, random) => {
    const from = placeIn(body, random);
    return splice(body, placeIn(body, random), 0, body.slice(from, from + random(64)));
  },
];

function splice(
  body: Uint8Array,
  at: number,
  removed: number,
  inserted: Uint8Array,
): Uint8Array {
  const spliced = new Uint8Array(Math.max(body.length - removed, at) + inserted.length);
  spliced.set(body.subarray(0, at));
  spliced.set(inserted, at);
  spliced.set(body.subarray(at + removed), at + inserted.length);
  return spliced;
}

function randomBytes(random: Random): Uint8Array {
  return Uint8Array.from({ length: 1 + random(8) }, () => random(256));
}

function mutate(target: Target, random: Random): Uint8Array {
  let body = target.bodies[random(target.bodies.length)];
  for (let times = 1 + random(3); times > 0 && body.length > 0; times--) {
    body = MUTATIONS[random(MUTATIONS.length)](body, random);
  }
  return body;
}

function bytesHeld(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

for (const [i, target] of TARGETS.entries()) {
  const runs = Math.ceil(RUNS / TARGETS.length);
  Deno.test(`${target.name}: ${runs} mutations give a result or GraftError invalid`, () => {
    const random = randomFrom(SEED + i);
    for (const body of target.bodies) assert.equal(target.run(body, random), "ok");
    const before = bytesHeld();
    const outcomes = new Set<string>();
    for (let run = 0; run < runs; run++) {
      outcomes.add(runOnce(target, random, `${run} of seed ${SEED + i}`));
      const grown = run % 1000 === 0 ? bytesHeld() - before : 0;
      assert.ok(grown < GROWTH_BYTES_MAX, `Memory grew by ${grown} bytes at run ${run}`);
    }
    // mutations that are always refused, or never, would test nothing
    assert.ok(outcomes.has("ok"));
    assert.ok(outcomes.size >= 4, `only ${[...outcomes]}`);
  });
}

function runOnce(target: Target, random: Random, run: string): string {
  const body = mutate(target, random);
  try {
    return target.run(body, random);
  } catch (error) {
    const hex = body.subarray(0, 300).toHex();
    throw new Error(`Cannot decode the body of run ${run}: ${hex}`, { cause: error });
  }
}
