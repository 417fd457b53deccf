/**
 * How much memory does the server take while much is written and read back?
 *
 * Starts a server with a cache of 256 MiB on a temporary directory, writes SQLite-like pages with eight
 * writers, 256 pages a request, commits them, reads every page back, checks it, and prints the server's
 * peak resident memory (VmHWM; Linux only) and the bytes of its data directory.
 *
 * usage: deno task bench:memory [GIGABYTES] [FILE] [PAGES]
 *
 * FILE: whose 4 KiB pages are written (default: text-like pages, made up).
 *
 * @module
 */

import { GraftClient, type PageToWrite } from "../client/mod.ts";
import { startServer } from "../tests/harness/server.ts";

const PAGE_SIZE = 4096;
const WRITERS = 8;
/** What the start task sets. */
const AS_STARTED = { MALLOC_ARENA_MAX: "2" };

/** Pages to write: those of a file, or words with a number in front so that no two are alike. */
function openPages(path: string | undefined): (at: number) => Uint8Array {
  const words = new TextEncoder().encode("lorem ipsum dolor sit amet consectetur elit ");
  const file = path === undefined ? undefined : Deno.readFileSync(path);
  const count = file === undefined ? 0 : Math.floor(file.length / PAGE_SIZE);
  return (at) => {
    const page = new Uint8Array(PAGE_SIZE);
    if (file !== undefined) {
      page.set(file.subarray((at % count) * PAGE_SIZE, (at % count + 1) * PAGE_SIZE));
    } else {
      for (let i = 0; i < PAGE_SIZE; i++) page[i] = words[(i * 7 + at + (i >> 5)) % words.length];
      // half of it does not compress
      crypto.getRandomValues(page.subarray(0, PAGE_SIZE / 3));
    }
    new DataView(page.buffer).setUint32(0, at);
    return page;
  };
}

function peakMemoryBytes(pid: number): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(Deno.readTextFileSync(`/proc/${pid}/status`));
  return Number(line?.[1]) * 1024;
}

function storedBytes(path: string): number {
  let bytes = 0;
  for (const entry of Deno.readDirSync(path)) {
    const inner = `${path}/${entry.name}`;
    bytes += entry.isDirectory ? storedBytes(inner) : Deno.statSync(inner).size;
  }
  return bytes;
}

const [gigabytes = "2", path, pages = "256"] = Deno.args;
const pagesPerWrite = Number(pages);
const pageOf = openPages(path);
const writes = Math.round(Number(gigabytes) * 1e9 / PAGE_SIZE / pagesPerWrite);
await using server = await startServer({
  args: ["--cache-bytes", "256MiB"],
  env: AS_STARTED,
});
const graft = new GraftClient(server.url);
const inMegabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;

/** One writer's volume: written front to back, then read front to back. */
async function writeAndRead(writer: number): Promise<void> {
  const vid = graft.newVolumeId();
  const mine = Math.floor(writes / WRITERS);
  let base: number | undefined;
  for (let write = 0; write < mine; write++) {
    const first = write * pagesPerWrite;
    const pages = Array.from(
      { length: pagesPerWrite },
      (_, i): PageToWrite => [first + i + 1, pageOf(writer * 1e6 + first + i)],
    );
    base = (await graft.push(vid, base, pages, first + pagesPerWrite)).lsn;
  }
  if (base === undefined) return;
  for (let first = 0; first < mine * pagesPerWrite; first += 1000) {
    const count = Math.min(1000, mine * pagesPerWrite - first);
    const wanted = Array.from({ length: count }, (_, i) => first + i + 1);
    const found = await graft.read(vid, base, wanted);
    for (const pageIdx of wanted) {
      const expected = pageOf(writer * 1e6 + pageIdx - 1);
      const page = found.page(pageIdx);
      // the random part differs at every call: the number and the tail tell
      if (page === undefined || page[3] !== expected[3] || page[4000] !== expected[4000]) {
        throw new Error(`Page ${pageIdx} of writer ${writer} is not what was written`);
      }
    }
  }
}

const startedMs = performance.now();
await Promise.all(Array.from({ length: WRITERS }, (_, writer) => writeAndRead(writer)));
const raw = writes * pagesPerWrite * PAGE_SIZE;
console.log(
  `written and read: ${inMegabytes(raw)} in ${
    Math.round((performance.now() - startedMs) / 1000)
  } s`,
);
console.log(`peak memory: ${inMegabytes(peakMemoryBytes(server.pid))}`);
const stored = storedBytes(server.data);
console.log(`stored: ${inMegabytes(stored)}, ${(stored / raw).toFixed(2)} of the pages`);
