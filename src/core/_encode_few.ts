// The encoding of a few members, without the WebAssembly module: so a set can be encoded in the middle of what
// somebody else does in the module's memory. docs/formats/page_set.md

const MAGIC = [0xda, 0xae, 0x12, 0xdf];
/** More may need blocks that are bitmaps. */
export const FEW_MEMBERS_MAX = 16;
/** Bits below those that tell the branches of a level apart. */
const LEVEL_3_SHIFT = 8;
const LEVEL_1_SHIFT = 24;

/** Encodes at most {@linkcode FEW_MEMBERS_MAX} members, ascending. */
export function encodeFew(members: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = [...MAGIC];
  const keys = members.length === 0 ? 0 : putPartition(bytes, members, LEVEL_1_SHIFT);
  // the upper byte and two reserved ones: there are fewer than 256 keys
  bytes.push(keys, 0, 0, 0);
  return Uint8Array.from(bytes);
}

/** Puts the values of a partition, then its index. @returns How many keys it has. */
function putPartition(bytes: number[], members: readonly number[], shift: number): number {
  const keys: number[] = [];
  const sizes: number[] = [];
  const ends: number[] = [];
  for (let at = 0; at < members.length;) {
    const key = (members[at] >>> shift) & 0xff;
    const from = at;
    while (at < members.length && ((members[at] >>> shift) & 0xff) === key) at++;
    const under = members.slice(from, at);
    const size = shift === LEVEL_3_SHIFT
      ? putBlock(bytes, under)
      : putPartition(bytes, under, shift - 8);
    keys.push(key);
    sizes.push(size - 1);
    ends.push(bytes.length);
  }
  const end = bytes.length;
  bytes.push(...keys, ...sizes);
  for (const valueEnd of ends) {
    bytes.push((end - valueEnd) & 0xff, (end - valueEnd) >>> 8);
    if (shift !== LEVEL_3_SHIFT) bytes.push(0, 0);
  }
  return keys.length;
}

function putBlock(bytes: number[], members: readonly number[]): number {
  for (const member of members) bytes.push(member & 0xff);
  return members.length;
}
