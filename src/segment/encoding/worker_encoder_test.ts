import assert from "node:assert/strict";
import { isGraftError } from "../../core/errors.ts";
import { range, testSid, testVid, volumePages } from "../_testing.ts";
import { NativeCodec } from "../codecs/native_codec.ts";
import { encodeSegment } from "./encode_segment.ts";
import { InlineEncoder } from "./inline_encoder.ts";
import { decodeFrames, verifySegment } from "../verify_segment.ts";
import { WorkerEncoder } from "./worker_encoder.ts";

const codec = new NativeCodec();
const small = () => [volumePages(testVid(), range(1, 32))];
const large = () => [
  volumePages(testVid(2), range(1, 300)),
  volumePages(testVid(1), range(7, 700).toReversed()),
];

function workerOf(source: string): Worker {
  const url = `data:text/javascript,${encodeURIComponent(source)}`;
  return new Worker(url, { type: "module" });
}

/** Starts the real worker, and counts how often. */
function counted(): { started: Worker[]; startWorker: () => Worker } {
  const started: Worker[] = [];
  const url = new URL("./_encode_worker_main.ts", import.meta.url);
  return {
    started,
    startWorker: () => {
      const worker = new Worker(url, { type: "module" });
      started.push(worker);
      return worker;
    },
  };
}

function isInternal(pattern: RegExp): (error: unknown) => boolean {
  return (error) => isGraftError(error, "internal") && pattern.test(String(error));
}

function isUnavailable(pattern: RegExp): (error: unknown) => boolean {
  return (error) => isGraftError(error, "unavailable") && pattern.test(String(error));
}

Deno.test("InlineEncoder encodes, and rejects what breaks a limit", async () => {
  const encoder = new InlineEncoder(codec);
  const encoded = await encoder.encode(testSid(), large());
  assert.deepEqual(encoded, encodeSegment(testSid(), large(), codec));
  await assert.rejects(encoder.encode(testSid(), []), /from 1 to 400 volumes/);
  encoder.close();
});

Deno.test("WorkerEncoder encodes up to 32 pages without a worker", async () => {
  const { started, startWorker } = counted();
  const encoder = new WorkerEncoder({ codec, startWorker });
  const encoded = await encoder.encode(testSid(), small());
  assert.deepEqual(encoded, encodeSegment(testSid(), small(), codec));
  assert.equal(started.length, 0);
  encoder.close();
});

Deno.test("WorkerEncoder gives the segment that encoding here would give", async () => {
  const encoder = new WorkerEncoder({ codec });
  const encoded = await encoder.encode(testSid(), large());
  const expected = encodeSegment(testSid(), large(), codec);
  assert.deepEqual(encoded.bytes, expected.bytes);
  assert.equal(encoded.sid, expected.sid);
  for (const [i, volume] of encoded.volumes.entries()) {
    assert.equal(volume.vid, expected.volumes[i].vid);
    assert.deepEqual(volume.digest, expected.volumes[i].digest);
    assert.ok(volume.pageSet.equals(expected.volumes[i].pageSet));
  }
  encoder.close();
});

Deno.test("WorkerEncoder and InlineEncoder keep the frames that a decoder would find", async () => {
  for (const encoder of [new WorkerEncoder({ codec }), new InlineEncoder(codec)]) {
    const { sid, bytes, volumes, frames } = await encoder.encode(testSid(), large(), {
      keepFrames: true,
    });
    const directory = verifySegment(sid, bytes, codec);
    assert.equal(frames.length, volumes.length);
    for (const [i, { vid }] of volumes.entries()) {
      const found = [...decodeFrames(directory.volume(vid)!, bytes, codec)];
      assert.deepEqual(frames[i], found.map(({ pages, hashes }) => ({ pages, hashes })));
    }
    assert.deepEqual((await encoder.encode(testSid(), large())).frames, []);
    encoder.close();
  }
});

Deno.test("WorkerEncoder starts one worker ahead, and uses it", async () => {
  const { started, startWorker } = counted();
  const encoder = new WorkerEncoder({ codec, startWorker });
  encoder.startAhead();
  encoder.startAhead();
  assert.equal(started.length, 1);
  await encoder.encode(testSid(), large());
  assert.equal(started.length, 1);
  encoder.close();
});

Deno.test("WorkerEncoder moves the pages instead of copying them", async () => {
  const encoder = new WorkerEncoder({ codec });
  const volumes = large();
  await encoder.encode(testSid(), volumes);
  for (const { pages } of volumes) {
    assert.deepEqual(pages.slabs.map(({ length }) => length), pages.slabs.map(() => 0));
  }
  encoder.close();
});

Deno.test("WorkerEncoder starts a second worker when the first is busy, and no third", async () => {
  const { started, startWorker } = counted();
  const encoder = new WorkerEncoder({ codec, startWorker });
  await encoder.encode(testSid(), large());
  await encoder.encode(testSid(), large());
  assert.equal(started.length, 1);
  const sids = range(1, 6).map(testSid);
  const encoded = await Promise.all(sids.map((sid) => encoder.encode(sid, large())));
  assert.equal(started.length, 2);
  assert.deepEqual(encoded.map(({ sid }) => sid), sids);
  for (const { sid, bytes } of encoded) {
    assert.deepEqual(bytes, encodeSegment(sid, large(), codec).bytes);
  }
  encoder.close();
});

Deno.test("WorkerEncoder reports what a worker refuses, and the worker goes on", async () => {
  const { started, startWorker } = counted();
  const encoder = new WorkerEncoder({ codec, startWorker });
  const twice = [volumePages(testVid(), [...range(1, 40), 7])];
  await assert.rejects(encoder.encode(testSid(), twice), isInternal(/an index twice/));
  await encoder.encode(testSid(), large());
  assert.equal(started.length, 1);
  encoder.close();
});

Deno.test("WorkerEncoder rejects what a dying worker had, and replaces it", async () => {
  const { startWorker } = counted();
  const dying = () => workerOf(`onmessage = () => { throw new Error("out of luck"); };`);
  const starts = [dying, dying, startWorker];
  const encoder = new WorkerEncoder({ codec, startWorker: () => starts.shift()!() });
  const jobs = range(1, 3).map((number) => encoder.encode(testSid(number), large()));
  const outcomes = await Promise.allSettled(jobs);
  for (const [i, outcome] of outcomes.entries()) {
    assert.ok(outcome.status === "rejected");
    assert.ok(isUnavailable(/out of luck/)(outcome.reason));
    assert.ok(outcome.reason.message.includes(testSid(i + 1)), "the message names the segment");
  }
  await encoder.encode(testSid(), large());
  assert.equal(starts.length, 0);
  encoder.close();
});

Deno.test("WorkerEncoder rejects when its worker does not even start", async () => {
  const startWorker = () => workerOf(`throw new Error("not today")`);
  const encoder = new WorkerEncoder({ codec, startWorker });
  await assert.rejects(
    encoder.encode(testSid(), large()),
    isUnavailable(/Cannot encode segment .* not today/),
  );
  encoder.close();
});

Deno.test("WorkerEncoder rejects what it still had when it is closed, and all after", async () => {
  const silent = () => workerOf("onmessage = () => {};");
  const encoder = new WorkerEncoder({ codec, startWorker: silent });
  const job = encoder.encode(testSid(), large());
  const refused = assert.rejects(job, isUnavailable(/its encoder was closed/));
  // encode posts the job in its first turn
  await Promise.resolve();
  encoder.close();
  await refused;
  await assert.rejects(encoder.encode(testSid(), small()), /after it was closed/);
  encoder.close();
});
