import { deepEqual, equal, ok } from "node:assert/strict";
import { ModelDisk } from "../../../tests/faults/objects_model_disk.ts";
import { sampleBytes } from "../_testing.ts";
import { systemSlabIo } from "../_slab_io.ts";
import { listEntries } from "./_list_entries.ts";
import { encodeEntry, encodeFooter, type ListedEntry } from "./_slab_format.ts";

const encoder = new TextEncoder();
const LARGE = 700_000;

/** A slab of entries, some of them larger than the walk's window takes two of. */
function slabOf(lengths: readonly number[]): { bytes: Uint8Array; entries: ListedEntry[] } {
  const parts = lengths.map((length, i) =>
    encodeEntry(encoder.encode(`k${i}`), sampleBytes(length))
  );
  let offset = 0;
  const entries = parts.map(({ keyHash, bytes: { length } }) => {
    offset += length;
    return { keyHash, offset: offset - length, length };
  });
  return { bytes: new Uint8Array(parts.flatMap(({ bytes }) => [...bytes])), entries };
}

async function list(bytes: Uint8Array): Promise<ListedEntry[]> {
  const disk = new ModelDisk();
  const written = disk.create("/slab");
  await disk.write(written, bytes);
  const { file, sizeBytes } = disk.open("/slab");
  const io = { ...systemSlabIo, read: disk.read.bind(disk) };
  return await listEntries(io, file, sizeBytes);
}

Deno.test("a slab without a footer is walked", async () => {
  const { bytes, entries } = slabOf([10, 0, LARGE, LARGE, 5, 600_000, 20]);
  deepEqual(await list(bytes), entries);
  deepEqual(await list(new Uint8Array(0)), []);
});

Deno.test("a footer is believed", async () => {
  const { bytes, entries } = slabOf([10, 20, 30]);
  deepEqual(await list(new Uint8Array([...bytes, ...encodeFooter(entries.slice(1))])), [
    entries[1],
    entries[2],
  ]);
});

Deno.test("a slab that is torn anywhere gives the entries before the tear", async () => {
  const { bytes, entries } = slabOf([10, 20, 30]);
  const sealed = new Uint8Array([...bytes, ...encodeFooter(entries)]);
  for (let length = 0; length < sealed.length; length++) {
    const whole = entries.filter((entry) => entry.offset + entry.length <= length);
    deepEqual(await list(sealed.slice(0, length)), whole, `${length} bytes`);
  }
});

Deno.test("a slab with any bit of its footer flipped is walked", async () => {
  const { bytes, entries } = slabOf([10, 20, 30]);
  const sealed = new Uint8Array([...bytes, ...encodeFooter(entries)]);
  for (let bit = bytes.length * 8; bit < sealed.length * 8; bit++) {
    const flipped = sealed.slice();
    flipped[bit >>> 3] ^= 1 << (bit & 7);
    deepEqual(await list(flipped), entries, `bit ${bit}`);
  }
});

Deno.test("what follows an unreadable header is left out, whatever it is", async () => {
  const { bytes, entries } = slabOf([10, 20, 30]);
  const zeroed = bytes.slice().fill(0, entries[1].offset);
  deepEqual(await list(zeroed), entries.slice(0, 1));
  const huge = bytes.slice();
  new DataView(huge.buffer).setUint32(entries[1].offset + 20, 0xffff_ffff, true);
  const listed = await list(huge);
  equal(listed.length, 1);
  ok(listed.every(({ offset, length }) => offset + length <= huge.length));
});
