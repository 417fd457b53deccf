// 100,000 pages (400 MB) in one request.

import assert from "node:assert/strict";
import { accepted, call } from "./_support/calls.ts";
import { memoryBytes } from "./_support/memory.ts";
import {
  pageField,
  PATH,
  readPagesResponse,
  readRequest,
  readWriteResponse,
  type Segment,
} from "./_support/messages.ts";
import { type Bytes, bytes, join } from "./_support/protobuf.ts";
import { bounded, processOfFile } from "./_support/server.ts";
import { members, range, splinter } from "./_support/splinter.ts";
import { TestVolume } from "./_support/volume.ts";

const server = processOfFile();
const PAGES = 100_000;
const PAGES_A_CHUNK = 64;
const SEGMENTS_MAX = 64;
const MEMORY_BYTES_MAX = 700 * 2 ** 20;

/** Bytes that do not compress, made once. */
const noise = crypto.getRandomValues(new Uint8Array(65_536));

/** Page `idx` of a version: half of it noise that differs from page to page, the rest text. */
function contentOf(idx: number, version: number): Bytes {
  const content = new Uint8Array(4096);
  const from = (idx * 61 + version * 17) % (noise.length - 2048);
  content.set(noise.subarray(from, from + 2048));
  new TextEncoder().encodeInto(
    `page ${idx} of version ${version} `.repeat(60),
    content.subarray(2048),
  );
  return content;
}

/** The body, made as it is sent. */
function streamOf(vid: Bytes, version: number): ReadableStream<Bytes> {
  let next = 1;
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes(1, vid));
    },
    pull(controller) {
      if (next > PAGES) return controller.close();
      const last = Math.min(next + PAGES_A_CHUNK - 1, PAGES);
      const fields = range(next, last).map((idx) => pageField(idx, contentOf(idx, version)));
      controller.enqueue(join(...fields));
      next = last + 1;
    },
  });
}

async function writeAll(volume: TestVolume, version: number): Promise<Segment[]> {
  const body = streamOf(volume.vid, version);
  return readWriteResponse(accepted(await call(server.to, PATH.writePages, body)));
}

/** Asserts that together the segments hold each page once. */
function assertWhole(segments: readonly Segment[]): void {
  assert.ok(segments.length > 1 && segments.length <= SEGMENTS_MAX, `${segments.length} segments`);
  const held = segments.flatMap(({ graft }) => members(graft)).sort((a, b) => a - b);
  assert.equal(held.length, PAGES);
  assert.ok(held.every((idx, i) => idx === i + 1));
}

async function assertPages(volume: TestVolume, lsn: number, version: number): Promise<void> {
  const samples = [
    range(1, 1024),
    range(PAGES - 1023, PAGES),
    range(1, 1000).map((i) => i * 97),
    [4096, 4097, 16_384, 16_385, 50_000],
  ];
  for (const wanted of samples) {
    const request = readRequest(volume.vid, lsn, splinter(wanted));
    const pages = readPagesResponse(accepted(await call(server.to, PATH.readPages, request)));
    assert.equal(pages.size, wanted.length);
    for (const [idx, content] of pages) assert.deepEqual(content, contentOf(idx, version));
  }
}

bounded("100,000 pages in one request are stored, committed and read back", async () => {
  const volume = new TestVolume(server.to);
  const segments = await writeAll(volume, 1);
  assertWhole(segments);
  await volume.commit({ pageCount: PAGES, segments });
  await assertPages(volume, 1, 1);
  const { graft } = await volume.pullGraft();
  assert.equal(graft.length, PAGES);
  // written anew into other segments it is the same commit; with other content it is another
  const again = await volume.commit({ pageCount: PAGES, segments: await writeAll(volume, 1) });
  assert.equal(again.lsn, 1);
  const changed = await volume.commit({
    base: 1,
    pageCount: PAGES,
    segments: await writeAll(volume, 2),
  });
  assert.equal(changed.lsn, 2);
  await assertPages(volume, 2, 2);
  await assertPages(volume, 1, 1);
  const peak = await memoryBytes(server.process.pid, "VmHWM");
  assert.ok(
    peak < MEMORY_BYTES_MAX,
    `the server's memory peaked at ${Math.round(peak / 2 ** 20)} MiB`,
  );
}, 300_000);
