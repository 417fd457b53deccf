import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeFew, FEW_MEMBERS_MAX } from "./_encode_few.ts";
import { encodeMembers } from "./page_set_encoding.ts";

const U32_MAX = 2 ** 32 - 1;
const member = fc.oneof(
  fc.constantFrom(0, 255, 256, 65_535, 65_536, 2 ** 24 - 1, 2 ** 24, U32_MAX),
  fc.integer({ min: 0, max: 600 }),
  fc.integer({ min: 0, max: 300_000 }),
  fc.integer({ min: 0, max: U32_MAX }),
);

Deno.test("a few members are encoded as the module encodes them", () => {
  fc.assert(
    fc.property(fc.uniqueArray(member, { maxLength: FEW_MEMBERS_MAX }), (members) => {
      members.sort((a, b) => a - b);
      assert.deepEqual(encodeFew(members), encodeMembers(Uint32Array.from(members)).bytes);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("the largest list there can be is encoded, whether it is in one block or in many", () => {
  for (const step of [1, 15, 256, 65_536, 2 ** 24, 2 ** 28 - 1]) {
    const members = Array.from({ length: FEW_MEMBERS_MAX }, (_, i) => i * step);
    assert.deepEqual(encodeFew(members), encodeMembers(Uint32Array.from(members)).bytes);
  }
});
