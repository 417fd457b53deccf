/**
 * Many rows with one call: where a call that may wait is a promise, that costs less than a promise a row.
 *
 * @module
 */

import { assert } from "../../../src/core/assert.ts";
import { SQLITE_ROWS } from "./_sqlite_rows_wasm.ts";
import type { Pointer, SqliteExports } from "./sqlite_module.ts";
import { readText, type SqlValue } from "./values.ts";

/** What wasm/assembly/sqlite_rows exports, as a call that may wait. */
type ReadRows = (
  statement: Pointer,
  buffer: Pointer,
  bytes: number,
  rowsMax: number,
) => Promise<number>;

/** What a call brought. */
export interface RowBatch {
  /** Rows by position. */
  readonly rows: SqlValue[][];
  /** The result code of the last step. */
  readonly code: number;
  /** Whether the statement is at a row that is not among these. */
  readonly isOver: boolean;
}

const BUFFER_BYTES = 64 * 1024;
const HEADER_BYTES = 16;
/** The types of values in the buffer; 1 to 5 are SQLite's. */
const BufferType = { INTEGER: 1, FLOAT: 2, TEXT: 3, BLOB: 4, NULL: 5, INT64: 6 } as const;

let compiled: Promise<WebAssembly.Module> | undefined;

/** Reads rows in batches. */
export class RowReader {
  readonly #read: ReadRows;
  readonly #buffer: Pointer;
  readonly #heap: () => Uint8Array<ArrayBuffer>;

  private constructor(read: ReadRows, buffer: Pointer, heap: () => Uint8Array<ArrayBuffer>) {
    this.#read = read;
    this.#buffer = buffer;
    this.#heap = heap;
  }

  /**
   * Makes the reader of an instance.
   *
   * @param promising Makes a call that may wait of an export.
   */
  static async create(
    exports: SqliteExports,
    heap: () => Uint8Array<ArrayBuffer>,
    promising: (run: unknown) => ReadRows,
  ): Promise<RowReader> {
    compiled ??= WebAssembly.compile(Uint8Array.from(atob(SQLITE_ROWS), (c) => c.charCodeAt(0)));
    const imports = {
      sqlite: exports as unknown as WebAssembly.ModuleImports,
      env: { memory: exports.memory },
    };
    const instance = await WebAssembly.instantiate(await compiled, imports);
    const buffer = exports.sqlite3_malloc(BUFFER_BYTES) >>> 0;
    assert(buffer !== 0, "A new instance has room for a buffer");
    return new RowReader(promising(instance.exports.readRows), buffer, heap);
  }

  /** Steps through a statement until there are `rowsMax` rows, the buffer is full, or it ends. */
  async read(statement: Pointer, rowsMax: number): Promise<RowBatch> {
    await this.#read(statement, this.#buffer, BUFFER_BYTES, rowsMax);
    const heap = this.#heap();
    const view = new DataView(heap.buffer, this.#buffer, BUFFER_BYTES);
    const [count, code, isOver, columns] = [0, 4, 8, 12].map((at) => view.getUint32(at, true));
    return { rows: decodeRows(heap, view, count, columns), code, isOver: isOver !== 0 };
  }
}

function decodeRows(
  heap: Uint8Array,
  view: DataView,
  count: number,
  columns: number,
): SqlValue[][] {
  const rows: SqlValue[][] = [];
  let at = HEADER_BYTES;
  for (let i = 0; i < count; i++) {
    const row = new Array<SqlValue>(columns);
    for (let column = 0; column < columns; column++) {
      const type = view.getUint8(at++);
      switch (type) {
        case BufferType.INTEGER:
        case BufferType.FLOAT:
          row[column] = view.getFloat64(at, true);
          at += 8;
          break;
        case BufferType.TEXT:
        case BufferType.BLOB: {
          const length = view.getUint32(at, true);
          const from = view.byteOffset + at + 4;
          row[column] = type === BufferType.TEXT
            ? readText(heap, from, length)
            : heap.slice(from, from + length);
          at += 4 + length;
          break;
        }
        case BufferType.INT64:
          row[column] = view.getBigInt64(at, true);
          at += 8;
          break;
        default:
          row[column] = null;
      }
    }
    rows.push(row);
  }
  return rows;
}
