// What a slab of an earlier run holds.

import type { FileDescriptor } from "../_disk_io.ts";
import type { SlabIo } from "../_slab_io.ts";
import {
  decodeFooter,
  FOOTER_END_BYTES,
  footerLength,
  type ListedEntry,
  readHeader,
} from "./_slab_format.ts";

const WINDOW_BYTES = 1024 * 1024;

/**
 * Lists the entries of a slab: by its footer, or where that is missing (the process died while it wrote
 * the slab) or damaged, by walking from entry to entry up to the first that is cut short. Their bodies
 * are not looked at: that is done when they are read.
 */
export async function listEntries(
  io: SlabIo,
  file: FileDescriptor,
  sizeBytes: number,
): Promise<ListedEntry[]> {
  return await readFooter(io, file, sizeBytes) ?? await walk(io, file, sizeBytes);
}

async function readFooter(
  io: SlabIo,
  file: FileDescriptor,
  sizeBytes: number,
): Promise<ListedEntry[] | undefined> {
  if (sizeBytes < FOOTER_END_BYTES) return undefined;
  const end = await readAt(io, file, sizeBytes - FOOTER_END_BYTES, FOOTER_END_BYTES);
  const length = end && footerLength(end);
  if (length === undefined || length > sizeBytes) return undefined;
  const footer = await readAt(io, file, sizeBytes - length, length);
  return footer && decodeFooter(footer);
}

async function readAt(
  io: SlabIo,
  file: FileDescriptor,
  position: number,
  length: number,
): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(length);
  return await io.read(file, bytes, position) === length ? bytes : undefined;
}

async function walk(io: SlabIo, file: FileDescriptor, sizeBytes: number): Promise<ListedEntry[]> {
  const entries: ListedEntry[] = [];
  const space = new Uint8Array(Math.min(WINDOW_BYTES, sizeBytes));
  let window = space.subarray(0, 0);
  let windowAt = 0;
  for (let offset = 0;;) {
    let header = readHeader(window, offset - windowAt);
    if (header === undefined) {
      window = space.subarray(0, await io.read(file, space, offset));
      windowAt = offset;
      header = readHeader(window, 0);
    }
    if (header === undefined || offset + header.length > sizeBytes) return entries;
    entries.push({ ...header, offset });
    offset += header.length;
  }
}
