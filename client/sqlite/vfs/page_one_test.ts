import assert from "node:assert/strict";
import { isSameButCounters, readCounter, readPageSize, showPageOne } from "./page_one.ts";

function pageOne(): Uint8Array<ArrayBuffer> {
  const page = Uint8Array.from({ length: 4096 }, (_, i) => i & 255);
  page.set(new TextEncoder().encode("SQLite format 3\0"));
  page.set([16, 0, 1, 1], 16);
  return page;
}

Deno.test("the counter is shown over a whole page, and over any part of it", () => {
  const whole = pageOne();
  showPageOne(whole, 0, { counter: 0x80000001, isWritten: true });
  assert.equal(readCounter(whole), 0x80000001);
  assert.ok(isSameButCounters(whole, pageOne()));
  for (let from = 0; from < 100; from++) {
    for (const length of [1, 4, 16, 100]) {
      const part = pageOne().subarray(from, from + length);
      showPageOne(part, from, { counter: 0x80000001, isWritten: true });
      assert.deepEqual(part, whole.subarray(from, from + length), `${length} bytes from ${from}`);
    }
  }
});

Deno.test("a counter of ours is never the version that the header is valid for", () => {
  for (const counter of [0, 1, 0x80000000, 0xffffffff]) {
    const page = pageOne();
    showPageOne(page, 0, { counter, isWritten: false });
    const validFor = new DataView(page.buffer).getUint32(92);
    assert.notEqual(validFor, counter);
    assert.ok(isSameButCounters(page, pageOne()));
  }
});

Deno.test("no WAL is ever seen", () => {
  for (const from of [0, 18, 19, 20]) {
    const page = pageOne();
    page.set([2, 2], 18);
    showPageOne(page.subarray(from), from, { counter: 1, isWritten: true });
    assert.deepEqual([page[18], page[19]], [from > 18 ? 2 : 1, from > 19 ? 2 : 1]);
  }
});

Deno.test("pages differ as soon as anything but counters differs", () => {
  for (const at of [0, 23, 28, 91, 96, 4095]) {
    const page = pageOne();
    page[at] ^= 1;
    assert.ok(!isSameButCounters(page, pageOne()), `byte ${at}`);
  }
});

Deno.test("the page size is read where SQLite wrote it", () => {
  const page = pageOne();
  assert.equal(readPageSize(page), 4096);
  page.set([0, 1], 16);
  assert.equal(readPageSize(page), 65_536);
  page[0] = 0;
  assert.equal(readPageSize(page), undefined);
});
