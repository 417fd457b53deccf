// Rows in packs: IndexedDB takes tens of microseconds for each record, whatever its size.

/** Where the values of some rows stand in a pack. */
export interface PackedRow {
  /** The row's key. */
  readonly key: string;
  /** The offset of its value. */
  readonly offset: number;
  /** The bytes of its value. */
  readonly length: number;
}

/** Values, one after the other. It is never changed once it is written. */
export interface Pack {
  /** The values. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Its rows, those that are gone or stand in a newer pack left out. */
  readonly rows: readonly PackedRow[];
}

/** Rows of a pack as they are stored; each list is as long as the others. */
export interface StoredDirectory {
  /** The bytes of the pack. */
  readonly packBytes: number;
  /** The keys. */
  readonly keys: readonly string[];
  /** The offset and the length of each value. */
  readonly places: Uint32Array;
}

/** A pack is full from here on; a larger value has a pack of its own. */
export const PACK_BYTES = 128 * 1024;
/** Rows of a pack, at most: they bound its directory, which is written anew whenever one of them goes. */
export const PACK_ROWS_MAX = 128;

/** Packs rows in the order in which they come: what was written together is mostly read together. */
export function packRows(rows: Iterable<readonly [key: string, value: Uint8Array]>): Pack[] {
  const packs: Pack[] = [];
  let waiting: (readonly [string, Uint8Array])[] = [];
  let bytes = 0;
  for (const row of rows) {
    const isFull = bytes + row[1].length > PACK_BYTES || waiting.length === PACK_ROWS_MAX;
    if (isFull && waiting.length > 0) {
      packs.push(pack(waiting, bytes));
      waiting = [];
      bytes = 0;
    }
    waiting.push(row);
    bytes += row[1].length;
  }
  if (waiting.length > 0) packs.push(pack(waiting, bytes));
  return packs;
}

function pack(rows: readonly (readonly [string, Uint8Array])[], length: number): Pack {
  const bytes = new Uint8Array(length);
  const packed: PackedRow[] = [];
  let offset = 0;
  for (const [key, value] of rows) {
    bytes.set(value, offset);
    packed.push({ key, offset, length: value.length });
    offset += value.length;
  }
  return { bytes, rows: packed };
}

/** A directory as it is stored. */
export function toStoredDirectory(
  packBytes: number,
  rows: readonly PackedRow[],
): StoredDirectory {
  return {
    packBytes,
    keys: rows.map(({ key }) => key),
    places: Uint32Array.from(rows.flatMap(({ offset, length }) => [offset, length])),
  };
}

/** Reads a stored directory; undefined where it is none. */
export function fromStoredDirectory(
  stored: unknown,
): { packBytes: number; rows: PackedRow[] } | undefined {
  const { packBytes, keys, places } = (stored ?? {}) as Partial<StoredDirectory>;
  if (packBytes === undefined || keys === undefined || places?.length !== 2 * keys.length) {
    return undefined;
  }
  const rows = keys.map((key, i) => ({ key, offset: places[2 * i], length: places[2 * i + 1] }));
  const isWithin = rows.every(({ offset, length }) => offset + length <= packBytes);
  return isWithin ? { packBytes, rows } : undefined;
}
