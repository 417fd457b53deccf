// Which pack each row is in.

import { rowBytes } from "../_rows.ts";
import { PACK_BYTES, PACK_ROWS_MAX, type PackedRow } from "./_packs.ts";

/** A pack whose rows are known. */
export interface IndexedPack {
  /** Its number. */
  readonly id: number;
  /** Its bytes, those of values that are gone included. */
  readonly bytes: number;
  /** Its rows by key. */
  readonly rows: Map<string, PackedRow>;
  /** The bytes of its rows' values. */
  aliveBytes: number;
}

/** A row, and the pack that it is in. */
export interface IndexedRow {
  readonly pack: IndexedPack;
  readonly row: PackedRow;
}

/** The packs of a storage and their rows. */
export class PackIndex {
  readonly #rows = new Map<string, IndexedRow>();
  /** Packs that are less than half full of rows, be it that they were small or that rows went. */
  readonly #poor = new Set<IndexedPack>();
  #bytes = 0;
  #newestId = 0;

  /** The bytes of all keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** All keys, in any order. */
  get keys(): Iterable<string> {
    return this.#rows.keys();
  }

  /** Packs that are better written anew together. */
  get poor(): ReadonlySet<IndexedPack> {
    return this.#poor;
  }

  /** A number that no pack has had. */
  nextId(): number {
    return ++this.#newestId;
  }

  /** Where a row is. */
  get(key: string): IndexedRow | undefined {
    return this.#rows.get(key);
  }

  /** Adds a pack. Its rows are in no other. */
  add(id: number, bytes: number, rows: readonly PackedRow[]): IndexedPack {
    const pack = { id, bytes, rows: new Map(rows.map((row) => [row.key, row])), aliveBytes: 0 };
    for (const row of rows) {
      this.#rows.set(row.key, { pack, row });
      this.#bytes += rowBytes(row.key, row.length);
      pack.aliveBytes += row.length;
    }
    this.#newestId = Math.max(this.#newestId, id);
    this.#judge(pack);
    return pack;
  }

  /** Forgets a row. */
  remove(key: string): void {
    const found = this.#rows.get(key);
    if (found === undefined) return;
    const { pack, row } = found;
    this.#rows.delete(key);
    this.#bytes -= rowBytes(key, row.length);
    pack.rows.delete(key);
    pack.aliveBytes -= row.length;
    this.#judge(pack);
  }

  #judge(pack: IndexedPack): void {
    const isPoor = pack.aliveBytes < PACK_BYTES / 2 && pack.rows.size < PACK_ROWS_MAX / 2;
    if (isPoor && pack.rows.size > 0) this.#poor.add(pack);
    else this.#poor.delete(pack);
  }
}
