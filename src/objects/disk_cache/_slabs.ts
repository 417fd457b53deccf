// The slabs of the cache, oldest first, and the index over them.

import { assert } from "../../core/assert.ts";
import { type FileDescriptor, systemCode } from "../_disk_io.ts";
import type { SlabIo } from "../_slab_io.ts";
import { listEntries } from "./_list_entries.ts";
import { SlabFiles } from "./_slab_files.ts";
import {
  encodeFooter,
  type Entry,
  footerBytes,
  isIntact,
  type ListedEntry,
} from "./_slab_format.ts";
import { type Place, SlabIndex } from "./_slab_index.ts";

const SLAB_BYTES_MIN = 1024 * 1024;
const SLAB_BYTES_MAX = 64 * 1024 * 1024;
/** Slabs that fit the bound, unless it is so large that all have the greatest size. */
const SLABS = 16;
/** Every start begins a slab, so that many of them would leave many small files. */
const SLABS_MAX = 4096;
/** Entries carried over at a time: they are read synchronously. */
const CARRY_BYTES = 256 * 1024;

/** What {@linkcode Slabs} are made with. */
export interface SlabsOptions {
  /** The directory; it is made where it is missing, its parent is not. */
  readonly directory: string;
  /** Bytes of all files together at most, above 0. */
  readonly bytesMax: number;
  /** The disk. */
  readonly io: SlabIo;
  /** Called with how many entries a slab took with it. */
  readonly onEvict: (count: number) => void;
}

interface Slab {
  readonly number: number;
  sizeBytes: number;
  /** The hash of each entry, also of those that the index has elsewhere by now. */
  hashes: readonly number[] | Uint32Array;
}

/** The slab that is being written. */
interface ActiveSlab {
  readonly slab: Slab;
  readonly file: FileDescriptor;
  /** Those of the slab. */
  readonly hashes: number[];
}

/**
 * Appends entries to one slab at a time and drops the oldest slab for room. Methods throw the system's
 * errors and may be called again after them; appending is for one caller at a time.
 */
export class Slabs {
  /** The size of a slab at most. */
  readonly slabBytes: number;
  readonly #options: SlabsOptions;
  readonly #files: SlabFiles;
  readonly #index = new SlabIndex();
  readonly #slabs = new Map<number, Slab>();
  #active: ActiveSlab | undefined;
  #lastNumber = 0;
  #bytes = 0;

  /** Touches nothing yet; {@linkcode Slabs.load} finds what is there. */
  constructor(options: SlabsOptions) {
    this.#options = options;
    this.#files = new SlabFiles(options.io, options.directory);
    const share = Math.floor(options.bytesMax / SLABS);
    const size = Math.min(Math.max(share, SLAB_BYTES_MIN), SLAB_BYTES_MAX);
    this.slabBytes = Math.min(size, Math.floor(options.bytesMax / 2));
  }

  /** Bytes of all files. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many entries can be found. */
  get count(): number {
    return this.#index.size;
  }

  /** Bytes of memory that finding them takes. */
  get memoryBytes(): number {
    let hashes = 0;
    for (const slab of this.#slabs.values()) hashes += slab.hashes.length * 4;
    return this.#index.memoryBytes + hashes;
  }

  /** Takes over what earlier runs left, as far as the bound allows. */
  async load(): Promise<void> {
    this.#files.makeDirectory();
    for (const number of await this.#files.list()) {
      if (!this.#slabs.has(number)) await this.#takeOver(number);
    }
    while (this.#bytes > this.#options.bytesMax) this.dropOldest();
  }

  /** All bytes of the entry of a hash, not verified; undefined when there is none. */
  read(hash: number): Uint8Array<ArrayBuffer> | undefined {
    const place = this.#index.find(hash);
    if (place === undefined) return undefined;
    this.#index.markHit(hash);
    return this.#files.read(place.slab, place.offset, place.length);
  }

  /** Forgets the entry of a hash. */
  forget(hash: number): void {
    this.#index.delete(hash);
  }

  /** Whether an entry of this length can be kept: it must fit beside what is carried over. */
  holds(length: number): boolean {
    return length <= this.slabBytes / 4;
  }

  /** Writes entries; they are found from then on. */
  async append(entries: readonly Entry[]): Promise<void> {
    for (let rest = entries; rest.length > 0;) {
      const active = await this.#withRoom(rest[0]);
      let count = 0;
      let bytes = 0;
      while (count < rest.length && this.#fits(active.slab, bytes, count, rest[count])) {
        bytes += rest[count++].bytes.length;
      }
      assert(count > 0, "An entry that fits no slab was appended");
      await this.#write(active, rest.slice(0, count));
      rest = rest.slice(count);
    }
  }

  /** Drops the oldest slab, if there is one that is not being written. */
  dropOldest(): void {
    const [oldest] = this.#slabs.values();
    if (oldest !== undefined && oldest !== this.#active?.slab) this.#drop(oldest);
  }

  /** Ends the slab that is being written and closes all files. */
  async close(): Promise<void> {
    try {
      await this.#seal();
    } finally {
      this.#files.close();
    }
  }

  /** A slab that cannot be read is removed, as it would take room for ever. */
  async #takeOver(number: number): Promise<void> {
    this.#lastNumber = Math.max(this.#lastNumber, number);
    try {
      await this.#loadSlab(number);
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      this.#files.remove(number);
    }
  }

  async #loadSlab(number: number): Promise<void> {
    const { io } = this.#options;
    const { file, sizeBytes } = io.open(this.#files.path(number));
    try {
      const entries = await listEntries(io, file, sizeBytes);
      const hashes = Uint32Array.from(entries, ({ keyHash }) => keyHash);
      this.#slabs.set(number, { number, sizeBytes, hashes });
      this.#bytes += sizeBytes;
      for (const { keyHash, offset, length } of entries) {
        this.#index.set(keyHash, { slab: number, offset, length });
      }
    } finally {
      io.close(file);
    }
  }

  async #withRoom(entry: Entry): Promise<ActiveSlab> {
    const slab = this.#active?.slab;
    if (slab !== undefined && this.#files.size(slab.number) === undefined) this.#dropVanished();
    if (this.#active !== undefined && this.#fits(this.#active.slab, 0, 0, entry)) {
      return this.#active;
    }
    await this.#seal();
    return await this.#begin();
  }

  /** Whether an entry, after `count` others of `bytesBefore` bytes, and the footer still fit. */
  #fits(slab: Slab, bytesBefore: number, count: number, { bytes }: Entry): boolean {
    const footer = footerBytes(slab.hashes.length + count + 1);
    return slab.sizeBytes + bytesBefore + bytes.length + footer <= this.slabBytes;
  }

  async #begin(): Promise<ActiveSlab> {
    this.#files.makeDirectory();
    this.#dropVanished();
    const bytesBefore = this.#options.bytesMax - this.slabBytes;
    while (this.#bytes > bytesBefore || this.#slabs.size >= SLABS_MAX) this.dropOldest();
    const number = ++this.#lastNumber;
    const hashes: number[] = [];
    const slab: Slab = { number, sizeBytes: 0, hashes };
    const active = { slab, file: this.#options.io.create(this.#files.path(number)), hashes };
    this.#active = active;
    this.#slabs.set(number, slab);
    await this.#makeRoomForNext(active);
    return active;
  }

  /** Makes the room of the slab after this one, carrying over into this one what is in use. */
  async #makeRoomForNext(active: ActiveSlab): Promise<void> {
    let carriedMax = this.slabBytes / 2;
    while (this.#bytes + 2 * this.slabBytes > this.#options.bytesMax) {
      const [oldest] = this.#slabs.values();
      if (oldest === active.slab) return;
      carriedMax -= await this.#carryOver(oldest, active, carriedMax);
      this.#drop(oldest);
    }
  }

  /** Writes those entries of a slab once more that were hit; returns how many bytes that took. */
  async #carryOver(slab: Slab, active: ActiveSlab, bytesMax: number): Promise<number> {
    let carried = 0;
    let batch: Entry[] = [];
    let batchBytes = 0;
    for (const keyHash of slab.hashes) {
      const place = this.#index.find(keyHash);
      if (place?.slab !== slab.number || !this.#index.isHit(keyHash)) continue;
      if (carried + place.length > bytesMax) break;
      const bytes = this.#readIntact(place);
      if (bytes === undefined) continue;
      carried += bytes.length;
      batch.push({ keyHash, bytes });
      batchBytes += bytes.length;
      if (batchBytes < CARRY_BYTES) continue;
      await this.#write(active, batch);
      batch = [];
      batchBytes = 0;
    }
    if (batch.length > 0) await this.#write(active, batch);
    return carried;
  }

  /** What cannot be read is not carried over; it must not keep the slab from being dropped. */
  #readIntact({ slab, offset, length }: Place): Uint8Array<ArrayBuffer> | undefined {
    try {
      const bytes = this.#files.read(slab, offset, length);
      return isIntact(bytes) ? bytes : undefined;
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      return undefined;
    }
  }

  async #write(active: ActiveSlab, entries: readonly Entry[]): Promise<void> {
    const { slab, hashes } = active;
    let offset = slab.sizeBytes;
    await this.#appendTo(active, concatenate(entries));
    for (const { keyHash, bytes: { length } } of entries) {
      this.#index.set(keyHash, { slab: slab.number, offset, length });
      hashes.push(keyHash);
      offset += length;
    }
  }

  /** What a failed write left behind is not written over: the slab ends there. */
  async #appendTo({ slab, file }: ActiveSlab, bytes: Uint8Array): Promise<void> {
    try {
      await this.#options.io.append(file, bytes);
      this.#resize(slab, slab.sizeBytes + bytes.length);
    } catch (error) {
      this.#letGo();
      this.#resize(slab, this.#files.size(slab.number) ?? 0);
      throw error;
    }
  }

  #resize(slab: Slab, sizeBytes: number): void {
    this.#bytes += sizeBytes - slab.sizeBytes;
    slab.sizeBytes = sizeBytes;
  }

  async #seal(): Promise<void> {
    if (this.#active === undefined) return;
    const { slab } = this.#active;
    await this.#appendTo(this.#active, encodeFooter(this.#entriesOf(slab)));
    slab.hashes = Uint32Array.from(slab.hashes);
    this.#letGo();
  }

  /** Nothing more is written to the active slab. */
  #letGo(): void {
    if (this.#active !== undefined) this.#options.io.close(this.#active.file);
    this.#active = undefined;
  }

  #entriesOf(slab: Slab): ListedEntry[] {
    const entries: ListedEntry[] = [];
    for (const keyHash of new Set(slab.hashes)) {
      const place = this.#index.find(keyHash);
      if (place?.slab === slab.number) entries.push({ keyHash, ...place });
    }
    return entries;
  }

  /** Someone may remove files while they are in use. */
  #dropVanished(): void {
    for (const slab of this.#slabs.values()) {
      if (this.#files.size(slab.number) === undefined) this.#drop(slab);
    }
  }

  #drop(slab: Slab): void {
    this.#files.remove(slab.number);
    this.#slabs.delete(slab.number);
    this.#bytes -= slab.sizeBytes;
    if (this.#active?.slab === slab) this.#letGo();
    let dropped = 0;
    for (const keyHash of slab.hashes) {
      const isThere = this.#index.find(keyHash)?.slab === slab.number;
      if (isThere && this.#index.delete(keyHash)) dropped++;
    }
    this.#options.onEvict(dropped);
  }
}

function concatenate(entries: readonly Entry[]): Uint8Array {
  if (entries.length === 1) return entries[0].bytes;
  const all = new Uint8Array(entries.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let at = 0;
  for (const { bytes } of entries) {
    all.set(bytes, at);
    at += bytes.length;
  }
  return all;
}
