import assert from "node:assert/strict";
import type { PageToWrite } from "../../../client/mod.ts";
import { GraftError, isGraftError } from "../../core/errors.ts";
import type { ClientId } from "../../core/gid.ts";
import { PAGE_SIZE } from "../../core/limits.ts";
import {
  importDatabase,
  type ImportSource,
  type ImportTarget,
  type VolumeHead,
} from "./import_database.ts";

/** Pages of which each holds a byte of its own; 0 makes a page of zeros. */
function sourceOf(bytes: readonly number[]): ImportSource {
  return {
    pageCount: bytes.length,
    read(first, count) {
      const pages = new Uint8Array(count * PAGE_SIZE);
      for (let i = 0; i < count; i++) {
        pages.fill(bytes[first - 1 + i], i * PAGE_SIZE, (i + 1) * PAGE_SIZE);
      }
      return Promise.resolve(pages);
    },
    assertUnchanged() {},
  };
}

/** A volume in memory, whose connection may break: before a commit, or after it. */
class MemoryTarget implements ImportTarget {
  readonly vid = "a volume";
  readonly pages = new Map<number, number>();
  current: VolumeHead | undefined;
  pagesSent = 0;
  breakAfter = Infinity;
  loseAnswers = false;

  head(): Promise<VolumeHead | undefined> {
    return Promise.resolve(this.current);
  }

  push(
    cid: ClientId,
    base: number | undefined,
    pages: readonly PageToWrite[],
    pageCount: number,
  ): Promise<VolumeHead> {
    if (this.breakAfter-- <= 0) return Promise.reject(new GraftError("unavailable", "Gone"));
    if (base !== this.current?.lsn) return Promise.reject(new GraftError("conflict", "No"));
    for (const [pageIdx, bytes] of pages) this.pages.set(pageIdx, bytes[0]);
    this.pagesSent += pages.length;
    this.current = { lsn: (base ?? 0) + 1, cid, pageCount };
    if (!this.loseAnswers) return Promise.resolve(this.current);
    return Promise.reject(new GraftError("conflict", "Another came first: your own"));
  }

  content(): number[] {
    const { pageCount = 0 } = this.current ?? {};
    return Array.from({ length: pageCount }, (_, i) => this.pages.get(i + 1) ?? 0);
  }
}

const CONTENT = [9, 1, 2, 0, 0, 0, 3, 4];
const IN_TWOS = { portionPages: 2 };

function isConflict(error: unknown): boolean {
  return isGraftError(error, "conflict");
}

Deno.test("the first page goes with the last portion, and pages of zeros are not sent", async () => {
  const target = new MemoryTarget();
  const firstPageAt: boolean[] = [];
  const done: number[] = [];
  await importDatabase(sourceOf(CONTENT), target, {
    ...IN_TWOS,
    onProgress(pages) {
      done.push(pages);
      firstPageAt.push(target.pages.has(1));
    },
  });
  assert.deepEqual(target.content(), CONTENT);
  assert.deepEqual(done, [0, 3, 5, 7, 8]);
  assert.deepEqual(firstPageAt, [false, false, false, false, true]);
  assert.equal(target.pagesSent, 5);
});

for (let commits = 0; commits <= 4; commits++) {
  Deno.test(`an import that broke after ${commits} commits goes on there`, async () => {
    const target = new MemoryTarget();
    target.breakAfter = commits;
    const first = importDatabase(sourceOf(CONTENT), target, IN_TWOS);
    if (commits < 4) await assert.rejects(first, (error) => isGraftError(error, "unavailable"));
    else await first;
    target.breakAfter = Infinity;
    // portions of another size find the same
    const { head, pagesFound } = await importDatabase(sourceOf(CONTENT), target, {
      portionPages: 3,
    });
    assert.equal(pagesFound, [0, 3, 5, 7, 8][commits]);
    assert.deepEqual(target.content(), CONTENT);
    assert.equal(head.pageCount, CONTENT.length);
    assert.equal(target.pagesSent, 5);
  });
}

Deno.test("a file that changed where it was imported already is refused, and changes nothing", async () => {
  const target = new MemoryTarget();
  target.breakAfter = 2;
  await assert.rejects(importDatabase(sourceOf(CONTENT), target, IN_TWOS));
  const before = target.current;
  const changed = CONTENT.with(1, 7);
  await assert.rejects(importDatabase(sourceOf(changed), target, IN_TWOS), isConflict);
  await assert.rejects(importDatabase(sourceOf([9, 1]), target, IN_TWOS), isConflict);
  assert.equal(target.current, before);
});

Deno.test("a file that changed behind what was imported becomes the new file", async () => {
  const target = new MemoryTarget();
  target.breakAfter = 2;
  await assert.rejects(importDatabase(sourceOf(CONTENT), target, IN_TWOS));
  const changed = [...CONTENT.with(0, 8).with(6, 7), 5];
  target.breakAfter = Infinity;
  await importDatabase(sourceOf(changed), target, IN_TWOS);
  assert.deepEqual(target.content(), changed);
});

Deno.test("a whole import of an older version is not taken for a half one", async () => {
  const target = new MemoryTarget();
  await importDatabase(sourceOf(CONTENT), target, IN_TWOS);
  const longer = importDatabase(sourceOf([...CONTENT, 5]), target, IN_TWOS);
  await assert.rejects(longer, isConflict);
});

Deno.test("a volume without pages is imported into, on its head", async () => {
  const target = new MemoryTarget();
  target.current = { lsn: 41, cid: "another", pageCount: 0 };
  const { head } = await importDatabase(sourceOf([9]), target);
  assert.deepEqual([head.lsn, target.content()], [42, [9]]);
});

Deno.test("a volume with pages of others is refused", async () => {
  const target = new MemoryTarget();
  target.current = { lsn: 3, cid: "another", pageCount: 2 };
  await assert.rejects(importDatabase(sourceOf(CONTENT), target), isConflict);
  assert.equal(target.pagesSent, 0);
});

Deno.test("a commit that landed although it was refused counts", async () => {
  const target = new MemoryTarget();
  target.loseAnswers = true;
  await importDatabase(sourceOf(CONTENT), target, IN_TWOS);
  assert.deepEqual(target.content(), CONTENT);
});

Deno.test("a commit of another client in between is a conflict", async () => {
  const target = new MemoryTarget();
  const interrupted = importDatabase(sourceOf(CONTENT), target, {
    ...IN_TWOS,
    onProgress(pages) {
      if (pages === 5) target.current = { lsn: 99, cid: "another", pageCount: 5 };
    },
  });
  await assert.rejects(interrupted, /another client commits to it/);
});
