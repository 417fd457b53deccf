import assert from "node:assert/strict";
import type { PageToWrite } from "../../../client/mod.ts";
import { isGraftError } from "../../core/errors.ts";
import { PAGE_SIZE } from "../../core/limits.ts";
import type { ImportSource } from "./import_database.ts";
import { replaceDatabase, type ReplaceTarget } from "./replace_database.ts";

const HEAD = { lsn: 7, cid: "another", pageCount: 3 };

function sourceOf(pageCount: number): ImportSource {
  return {
    pageCount,
    read: (_first, count) => Promise.resolve(new Uint8Array(count * PAGE_SIZE)),
    assertUnchanged() {},
  };
}

/** Notes what is stored and committed. */
class NotingTarget implements ReplaceTarget {
  readonly vid = "a volume";
  readonly written: number[] = [];
  readonly commits: { base: number; pageCount: number; pagesWritten: number }[] = [];

  write(pages: Iterable<PageToWrite>): Promise<[]> {
    this.written.push(...[...pages].map(([pageIdx]) => pageIdx));
    return Promise.resolve([]);
  }

  commit(cid: string, base: number, _segments: unknown, pageCount: number) {
    this.commits.push({ base, pageCount, pagesWritten: this.written.length });
    return Promise.resolve({ lsn: base + 1, cid, pageCount });
  }
}

Deno.test("every page is stored, those of zeros too, and then committed at once on the head", async () => {
  const target = new NotingTarget();
  const { head } = await replaceDatabase(sourceOf(2500), target, HEAD);
  assert.deepEqual(target.written, Array.from({ length: 2500 }, (_, i) => i + 1));
  assert.deepEqual(target.commits, [{ base: 7, pageCount: 2500, pagesWritten: 2500 }]);
  assert.equal(head.lsn, 8);
});

Deno.test("more than one commit can carry is refused before anything is sent", async () => {
  const target = new NotingTarget();
  await assert.rejects(
    replaceDatabase(sourceOf(64 * 4096 + 1), target, HEAD),
    (error) => isGraftError(error, "invalid"),
  );
  assert.deepEqual(target.written, []);
});
