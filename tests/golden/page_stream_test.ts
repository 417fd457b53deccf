// Page streams and commits as clients keep them: they are read by our code, which must also write them
// so, byte for byte. `deno run -A tests/golden/page_stream_cases.ts` writes those that are not there yet.

import assert from "node:assert/strict";
import { WasmCodec } from "../../src/segment/codecs/wasm_codec.ts";
import { CommitStreamDecoder, PageStreamDecoder } from "../../src/wire/v1/mod.ts";
import { readStream } from "../wire/_support/v1.ts";
import {
  COMMIT_HEADER,
  goldenStreamPath,
  STREAM_CASES,
  STREAM_HEADER,
} from "./page_stream_cases.ts";
import { goldenText } from "./segment_cases.ts";

const codec = new WasmCodec();

for (const { name, pages, encode } of STREAM_CASES) {
  const read = () => Deno.readFile(goldenStreamPath(name));

  Deno.test(`${name} is read as it was written`, async () => {
    const Decoder = name.startsWith("commit") ? CommitStreamDecoder : PageStreamDecoder;
    const found = new Map<number, Uint8Array>();
    const decoder = new Decoder({
      take: (pageIdx, page) => found.set(pageIdx, page.slice()),
      decompress: (stored, rawLength) => codec.decompress(stored, rawLength),
    });
    decoder.push(await read());
    decoder.finish();
    assert.deepEqual(decoder.header, name.startsWith("commit") ? COMMIT_HEADER : STREAM_HEADER);
    assert.deepEqual([...found.keys()], pages);
    for (const [pageIdx, page] of found) assert.deepEqual(page, goldenText(pageIdx));
  });

  Deno.test(`${name} is still written so`, async () => {
    assert.deepEqual(encode(), await read());
  });
}

Deno.test("a page stream is read by hand as docs/formats/page_stream.md says", async () => {
  const bytes = await Deno.readFile(goldenStreamPath("pages_stored"));
  const answer = await readStream(bytes, (page) => new TextDecoder().decode(page.subarray(0, 8)));
  assert.deepEqual([answer.lsn, answer.items, answer.compressed], [7, 2, 1]);
  assert.deepEqual(answer.pages, { 1: "Page 1: ", 3: "Page 3: ", 900: "Page 900" });
});
