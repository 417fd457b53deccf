/**
 * What the WebAssembly module does with encoded page sets.
 *
 * Each function copies its input into the module's memory and its output out of it, once.
 *
 * @module
 */

import { alloc, copyIn, copyOut, graft, memoryBytes, memoryView, reset } from "../../wasm/mod.ts";
import { decodeError } from "./page_set_decode.ts";

/** A validated canonical encoding and what it holds; `first` and `last` are 0 when it is empty. */
export interface EncodedSet {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly size: number;
  readonly first: number;
  readonly last: number;
}

/** Numbers from `first` to `last`, both inclusive. */
export interface MemberRange {
  readonly first: number;
  readonly last: number;
}

/** An operation on two encoded sets. */
export type BinaryOperation = "union" | "intersection" | "difference";

const BINARY = {
  union: graft.pageSetUnion,
  intersection: graft.pageSetIntersection,
  difference: graft.pageSetDifference,
};

// The module's result: five f64.
const RESULT = graft.pageSetResult();
const OUTPUT = RESULT + 24;
const OUTPUT_LENGTH = RESULT + 32;

/**
 * Validates an encoding and takes a copy of it, made canonical.
 *
 * @throws {GraftError} `invalid` for anything that is not an encoded page set.
 */
export function decodeSet(bytes: Uint8Array): EncodedSet {
  reset();
  const code = graft.pageSetDecode(copyIn(bytes), bytes.length);
  if (code < 0) throw decodeError(code, memoryView().getFloat64(OUTPUT, true), bytes.length);
  const copy = new Uint8Array(bytes);
  // The only freedom that a valid encoding has is in its two reserved bytes.
  if (code > 0) copy.fill(0, copy.length - 2);
  return encodedSet(copy);
}

/** Encodes members that come in any order, repeated or not. */
export function encodeMembers(members: Uint32Array): EncodedSet {
  reset();
  const at = copyIn(bytesOf(members));
  graft.pageSetBegin();
  graft.pageSetAddMembers(at, members.length);
  graft.pageSetFinish();
  return takeOutput();
}

const NO_MEMBERS = new Uint32Array(0);

/** Encodes the union of sets, ranges and members. */
export function encodeUnion(
  sets: readonly Uint8Array[],
  ranges: readonly MemberRange[],
  members: Uint32Array = NO_MEMBERS,
): EncodedSet {
  reset();
  const staging = alloc(sets.reduce((most, set) => Math.max(most, set.length), 0));
  const at = copyIn(bytesOf(members));
  graft.pageSetBegin();
  graft.pageSetAddMembers(at, members.length);
  for (const set of sets) {
    memoryBytes().set(set, staging);
    graft.pageSetAddSet(staging, set.length);
  }
  for (const { first, last } of ranges) graft.pageSetAddRange(first, last);
  graft.pageSetFinish();
  return takeOutput();
}

/** Does the operations one after the other on the same two sets. */
export function combineSets(
  operations: readonly BinaryOperation[],
  a: Uint8Array,
  b: Uint8Array,
): EncodedSet[] {
  reset();
  const left = copyIn(a);
  const right = copyIn(b);
  return operations.map((operation) => {
    BINARY[operation](left, a.length, right, b.length);
    return takeOutput();
  });
}

/** What {@linkcode PageSetLookup} takes as the directory of an encoded set. */
export function directoryOf(set: Uint8Array): Uint32Array<ArrayBuffer> {
  reset();
  graft.pageSetDirectory(copyIn(set), set.length);
  const view = memoryView();
  const at = view.getFloat64(OUTPUT, true);
  return new Uint32Array(copyOut(at, view.getFloat64(OUTPUT_LENGTH, true)).buffer);
}

/** Members that leave the module's memory at a time. */
const CHUNK_MEMBERS = 65_536;
/** Members that the module may write beyond those it was asked for: it stops between blocks. */
const OVERSHOOT_MEMBERS = 255;

/** All `size` members of an encoded set, ascending. */
export function readMembers(set: Uint8Array, size: number): Uint32Array<ArrayBuffer> {
  const members = new Uint32Array(size);
  const chunks = openChunks(set, Math.min(size, CHUNK_MEMBERS));
  let done = 0;
  while (done < size) {
    const chunk = chunks(done === 0 ? undefined : members[done - 1]);
    members.set(chunk, done);
    done += chunk.length;
  }
  return members;
}

/**
 * Some members of an encoded set, ascending: at least `wanted`, or all that are left.
 *
 * @param after The last member that the call before returned; undefined at first.
 */
export function readMembersAfter(
  set: Uint8Array,
  after: number | undefined,
  wanted: number,
): Uint32Array<ArrayBuffer> {
  return openChunks(set, wanted)(after).slice();
}

/** Copies the set in; the function returned gives views of stretches until the next reset. */
function openChunks(
  set: Uint8Array,
  wanted: number,
): (after: number | undefined) => Uint32Array<ArrayBuffer> {
  reset();
  const at = copyIn(set);
  const out = alloc((wanted + OVERSHOOT_MEMBERS) * 4);
  return (after) => {
    // Stretches are whole blocks, so the next one begins with another block.
    const block = after === undefined ? 0 : (after >>> 8) + 1;
    const count = graft.pageSetMembers(at, set.length, block, out, wanted);
    return new Uint32Array(memoryBytes().buffer, out, count);
  };
}

function bytesOf(members: Uint32Array): Uint8Array {
  return new Uint8Array(members.buffer, members.byteOffset, members.byteLength);
}

function takeOutput(): EncodedSet {
  const view = memoryView();
  const at = view.getFloat64(OUTPUT, true);
  return encodedSet(copyOut(at, view.getFloat64(OUTPUT_LENGTH, true)));
}

function encodedSet(bytes: Uint8Array<ArrayBuffer>): EncodedSet {
  const view = memoryView();
  return {
    bytes,
    size: view.getFloat64(RESULT, true),
    first: view.getFloat64(RESULT + 8, true),
    last: view.getFloat64(RESULT + 16, true),
  };
}
