/**
 * How many bytes does a file's worth of pages take on disk?
 *
 * Writes the 4 KiB pages of a file into one volume, 256 a commit, and prints the bytes that the data
 * directory takes (blocks, as `du` counts them) against the file's.
 *
 * usage: deno task bench:stored FILE.sqlite
 *
 * @module
 */

import { GraftClient, type PageToWrite } from "../client/mod.ts";
import { startServer } from "../tests/harness/server.ts";

const PAGE_SIZE = 4096;
const PAGES_A_COMMIT = 256;

const [path] = Deno.args;
if (path === undefined) throw new Error("Cannot measure: name a file of 4 KiB pages");
const file = Deno.readFileSync(path);
const pageCount = Math.floor(file.length / PAGE_SIZE);
await using server = await startServer({ env: { MALLOC_ARENA_MAX: "2" } });
const graft = new GraftClient(server.url);
const vid = graft.newVolumeId();
let base: number | undefined;
for (let first = 0; first < pageCount; first += PAGES_A_COMMIT) {
  const pages: PageToWrite[] = [];
  for (let at = first; at < Math.min(first + PAGES_A_COMMIT, pageCount); at++) {
    pages.push([at + 1, file.subarray(at * PAGE_SIZE, (at + 1) * PAGE_SIZE)]);
  }
  base = (await graft.push(vid, base, pages, first + pages.length)).lsn;
}

/** What `du` counts: whole blocks of 512 bytes. */
function diskBytes(directory: string): number {
  let bytes = 0;
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    const inner = `${directory}/${name}`;
    bytes += isDirectory ? diskBytes(inner) : (Deno.statSync(inner).blocks ?? 0) * 512;
  }
  return bytes;
}

const stored = diskBytes(server.data);
const ratio = (stored / (pageCount * PAGE_SIZE)).toFixed(3);
console.log(
  `${pageCount} pages, ${pageCount * PAGE_SIZE} bytes: ${stored} on disk, ${ratio} of them`,
);
