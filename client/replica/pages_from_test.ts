import assert from "node:assert/strict";
import { pagesFrom } from "./pages_from.ts";

Deno.test("pagesFrom() is empty where the ends are in the wrong order", () => {
  assert.deepEqual([...pagesFrom(3, 5)], [3, 4, 5]);
  assert.equal(pagesFrom(3, 2).size, 0);
});
