/**
 * The project's WebAssembly module and the memory that calls into it share.
 *
 * Convention: every use is synchronous and whole. {@linkcode reset}, copy the input in, call, copy the
 * output out. The arena belongs to whoever called `reset` last, so no pointer and no view is kept
 * across an `await`, a callback or a `yield`.
 *
 * @module
 */

import * as graft from "./build/graft.wasm";

export { graft };

/** A place in the module's memory: a byte offset, valid until the next {@linkcode reset}. */
export type Pointer = number;

let bytes = viewMemory();
let view = new DataView(bytes.buffer);

/**
 * The module's whole memory. Calls may grow it, which detaches every view: take it anew after each.
 */
export function memoryBytes(): Uint8Array<ArrayBuffer> {
  // A view that growth has detached has no length.
  if (bytes.length === 0) bytes = viewMemory();
  return bytes;
}

/** The same memory, for numbers. Little-endian, as the module writes them. */
export function memoryView(): DataView<ArrayBuffer> {
  const { buffer } = memoryBytes();
  if (view.buffer !== buffer) view = new DataView(buffer);
  return view;
}

function viewMemory(): Uint8Array<ArrayBuffer> {
  // The module declares its memory unshared, which the type of a memory cannot say.
  return new Uint8Array(graft.memory.buffer as ArrayBuffer);
}

/** Empties the arena: everything allocated before is gone. */
export function reset(): void {
  graft.reset();
}

/** Room for `length` bytes, 8-aligned, holding anything. */
export function alloc(length: number): Pointer {
  return graft.alloc(length) >>> 0;
}

/** Copies `source` into the arena. */
export function copyIn(source: Uint8Array): Pointer {
  const at = alloc(source.length);
  memoryBytes().set(source, at);
  return at;
}

/** Copies `length` bytes at `at` out of the arena, into a new array. */
export function copyOut(at: Pointer, length: number): Uint8Array<ArrayBuffer> {
  return memoryBytes().slice(at, at + length);
}
