import assert from "node:assert/strict";
import { blockBytes, blockHas, blockRank, blockSelect } from "./page_set_block.ts";

/** Bytes before the blocks of these tests, to see that the place is respected. */
const BEFORE = 3;

/** Encodes a block by the definition, byte by byte. */
function encode(members: number[]): Uint8Array {
  const block = new Uint8Array(BEFORE + blockBytes(members.length)).fill(0xee, 0, BEFORE);
  members.forEach((member, i) => {
    if (members.length < 32) block[BEFORE + i] = member;
    else if (members.length < 256) block[BEFORE + (member >> 3)] |= 1 << (member & 7);
  });
  return block;
}

const every = Array.from({ length: 256 }, (_, i) => i);
const BLOCKS: Record<string, number[]> = {
  "of one": [200],
  "of both ends": [0, 255],
  "of 31": every.filter((i) => i % 8 === 3).slice(0, 31),
  "of 32, the first bitmap": every.filter((i) => i % 8 === 7),
  "of 255 without the first": every.slice(1),
  "of 255 without the last": every.slice(0, 255),
  "of the upper half": every.slice(128),
  "of all": every,
};

Deno.test("a block is a list below 32 members, then a bitmap, and nothing when full", () => {
  assert.deepEqual([1, 31, 32, 255, 256].map(blockBytes), [1, 31, 32, 32, 0]);
});

for (const [name, members] of Object.entries(BLOCKS)) {
  const block = encode(members);

  Deno.test(`a block ${name} has its members and no others`, () => {
    for (const byte of every) {
      assert.equal(blockHas(block, BEFORE, members.length, byte), members.includes(byte));
    }
  });

  Deno.test(`a block ${name} ranks every byte`, () => {
    for (const byte of every) {
      const smaller = members.filter((member) => member < byte).length;
      assert.equal(blockRank(block, BEFORE, members.length, byte), smaller);
    }
  });

  Deno.test(`a block ${name} selects each member by its rank`, () => {
    members.forEach((member, rank) => {
      assert.equal(blockSelect(block, BEFORE, members.length, rank), member);
    });
  });
}
