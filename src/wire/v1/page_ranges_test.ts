import assert from "node:assert/strict";
import { isGraftError } from "../../core/errors.ts";
import { PageSet } from "../../core/page_set.ts";
import { formatPageRanges, parsePageRanges } from "./page_ranges.ts";

Deno.test("page ranges are read", () => {
  const cases: [string, number[]][] = [
    ["7", [7]],
    ["1-3", [1, 2, 3]],
    ["9,1-3,2-4", [1, 2, 3, 4, 9]],
    ["268435456", [2 ** 28]],
  ];
  for (const [text, members] of cases) assert.deepEqual([...parsePageRanges(text)], members);
});

Deno.test("what is no page range is refused", () => {
  for (const text of ["", "0", "0-3", "3-1", "1,", "1-", "-1", "1-2-3", "a", "1.5", "268435457"]) {
    assert.throws(() => parsePageRanges(text), (error) => isGraftError(error, "invalid"), text);
  }
});

Deno.test("page ranges are written as they are read", () => {
  assert.equal(formatPageRanges(PageSet.empty), "");
  for (const text of ["1", "1-3", "1-3,5,9-10", "3000-9000,268435456"]) {
    assert.equal(formatPageRanges(parsePageRanges(text)), text);
  }
});
