/**
 * What a thousand pages take over a link of 20 ms and 100 Mbit/s: `deno task bench:link`.
 *
 * @module
 */

import { type Decompress, GraftClient, openReplica } from "../client/mod.ts";
import { WasmCodec } from "../src/segment/mod.ts";
import { acceptPages } from "../src/wire/v1/media_types.ts";
import { Toxiproxy } from "../tests/harness/programs/toxiproxy.ts";
import { startServer } from "../tests/harness/server.ts";

const ROUND_TRIP_MS = 20;
const BYTES_PER_MS = 100_000_000 / 8 / 1000;
const PAGES = 1024;
const PAGE_BYTES = 4096;
const ROUNDS = 9;
const WORDS =
  ("order item street invoice customer delivered pending remark note update total berlin " +
    "paris london meeting project draft final shipped").split(" ");

/** Pages as a database of text has them: rows of words, numbers and a few bytes that do not compress. */
function* textPages(): Generator<[pageIdx: number, page: Uint8Array]> {
  const encoder = new TextEncoder();
  for (let pageIdx = 1; pageIdx <= PAGES; pageIdx++) {
    const page = new Uint8Array(PAGE_BYTES);
    const noise = crypto.getRandomValues(new Uint32Array(PAGE_BYTES / 8));
    let at = 100;
    for (let i = 0; at < PAGE_BYTES - 100; i += 4) {
      const words = [5, 10, 15].map((shift) => WORDS[(noise[i] >> shift & 0xfff) % WORDS.length]);
      page.set(new Uint8Array(noise.buffer, i * 4, 2), at);
      const row = encoder.encode(`${noise[i + 1]}|${words.join(" ")}|${noise[i + 2] % 1_000_000}`);
      page.set(row, at + 2);
      at += row.length + 2;
    }
    yield [pageIdx, page];
  }
}

/** How many bytes the pages have on their way. */
async function bytesSent(url: string, vid: string): Promise<number> {
  const headers = { accept: acceptPages("zstd") };
  const answer = await fetch(`${url}/v1/volumes/${vid}/pages/1-${PAGES}?lsn=1`, { headers });
  return (await answer.bytes()).length;
}

/** How long a replica without pages takes to read all, in milliseconds; it has been opened before. */
async function readAll(url: string, vid: string, decompress?: Decompress): Promise<number> {
  const replica = await openReplica(url, vid, { storage: "memory:", decompress });
  try {
    using snapshot = replica.snapshot();
    const wanted = Array.from({ length: PAGES }, (_, i) => i + 1);
    const started = performance.now();
    await snapshot.readMany(wanted);
    return performance.now() - started;
  } finally {
    await replica.close();
  }
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[ROUNDS >> 1];
}

if (import.meta.main) {
  await using server = await startServer();
  await using toxiproxy = await Toxiproxy.start();
  const link = await toxiproxy.proxy(server.url);
  await link.add({ type: "latency", latency: ROUND_TRIP_MS / 2 }, "upstream");
  await link.add({ type: "latency", latency: ROUND_TRIP_MS / 2 });
  await link.add({ type: "bandwidth", rate: BYTES_PER_MS });
  const client = new GraftClient(server.url);
  const vid = client.newVolumeId();
  await client.push(vid, undefined, textPages(), PAGES);
  const bytes = await bytesSent(server.url, vid);
  const idealMs = ROUND_TRIP_MS + bytes / BYTES_PER_MS;
  const small: number[] = [];
  const wasm: number[] = [];
  const codec = new WasmCodec();
  const byWasm: Decompress = (stored, length) => codec.decompress(stored, length);
  for (let round = 0; round < ROUNDS; round++) {
    small.push(await readAll(link.endpoint, vid));
    wasm.push(await readAll(link.endpoint, vid, byWasm));
  }
  const [first] = small;
  const told = (ms: number) => `${ms.toFixed(0)} ms, ${(ms / idealMs).toFixed(2)} of the ideal`;
  console.log(`| ${PAGES} pages as the link has them | ${bytes} bytes, ${told(idealMs)} |`);
  console.log(`| the first read of a process | ${told(first)} |`);
  console.log(`| the median of ${ROUNDS} | ${told(median(small))} |`);
  console.log(`| the same, decompressed by WasmCodec | ${told(median(wasm))} |`);
}
