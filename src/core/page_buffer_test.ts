import assert from "node:assert/strict";
import { PAGE_SIZE } from "./limits.ts";
import { PageBuffer } from "./page_buffer.ts";

function fill(buffer: PageBuffer, count: number): void {
  for (let i = 0; i < count; i++) buffer.add(i + 1).fill((i * 7) % 251);
}

Deno.test("PageBuffer keeps every page, whatever size it expected", () => {
  for (const expected of [undefined, 0, 1, 3, 256, 10_000]) {
    for (const count of [0, 1, 3, 4, 255, 256, 257, 700]) {
      const buffer = new PageBuffer(expected);
      fill(buffer, count);
      assert.equal(buffer.count, count);
      assert.deepEqual([...buffer.indexes], Array.from({ length: count }, (_, i) => i + 1));
      for (let at = 0; at < count; at++) {
        const page = buffer.page(at);
        assert.equal(page.length, PAGE_SIZE);
        assert.ok(page.every((byte) => byte === (at * 7) % 251), `page ${at} of ${count}`);
      }
    }
  }
});

Deno.test("PageBuffer allocates no more than it was told to expect", () => {
  const buffer = new PageBuffer(4);
  fill(buffer, 4);
  assert.deepEqual(buffer.slabs.map(({ length }) => length), [4 * PAGE_SIZE]);
  buffer.add(5);
  assert.deepEqual(buffer.slabs.map(({ length }) => length), [4 * PAGE_SIZE, 256 * PAGE_SIZE]);
});

Deno.test("PageBuffer never moves a page", () => {
  const buffer = new PageBuffer(1);
  const first = buffer.add(1);
  fill(buffer, 1000);
  first.fill(42);
  assert.ok(buffer.page(0).every((byte) => byte === 42));
});

Deno.test("PageBuffer refuses positions that it does not hold", () => {
  const buffer = new PageBuffer();
  buffer.add(1);
  assert.throws(() => buffer.page(1), /no such page/);
  assert.throws(() => buffer.page(-1), /no such page/);
});
