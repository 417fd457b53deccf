import { equal } from "node:assert/strict";
import { isSameBytes } from "./bytes.ts";

Deno.test("isSameBytes() looks at the length and at every byte", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  equal(isSameBytes(bytes, Uint8Array.of(1, 2, 3)), true);
  equal(isSameBytes(new Uint8Array(), new Uint8Array()), true);
  for (const other of [[1, 2], [1, 2, 3, 0], [0, 2, 3], [1, 2, 4]]) {
    equal(isSameBytes(bytes, Uint8Array.from(other)), false, `${other}`);
  }
});
