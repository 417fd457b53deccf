// Reads rows of a statement of SQLite into a buffer, many with one call: under JavaScript promise integration
// a call that may wait is a promise, and a promise a row costs more than the row.
//
// The module has the memory of an instance of SQLite and calls its functions. It owns no memory: no static data, no heap.
//
//   buffer := u32 rows · u32 result code of the last step, or ROW · u32 1 where a row did not fit, which the
//             statement is at · u32 columns · row…
//   row    := value of each column
//   value  := u8 type · what follows: 1 integer as f64 · 2 f64 · 3 text, 4 blob: u32 length, bytes · 5 null: nothing
//             · 6 integer beyond 2^53 - 1: i64

const ROW: i32 = 100;
const HEADER_BYTES: usize = 16;

const INTEGER: i32 = 1;
const FLOAT: i32 = 2;
const TEXT: i32 = 3;
const BLOB: i32 = 4;
const INT64: i32 = 6;

const SAFE_MAX: f64 = 9007199254740991.0;

@external("sqlite", "sqlite3_step")
declare function step(statement: usize): i32;
@external("sqlite", "sqlite3_data_count")
declare function dataCount(statement: usize): i32;
@external("sqlite", "sqlite3_column_type")
declare function columnType(statement: usize, column: i32): i32;
@external("sqlite", "sqlite3_column_double")
declare function columnDouble(statement: usize, column: i32): f64;
// the low half; the high one is asked for behind it
@external("sqlite", "sqlite3_column_int64")
declare function columnInt64(statement: usize, column: i32): i32;
@external("sqlite", "_emscripten_tempret_get")
declare function highHalf(): i32;
@external("sqlite", "sqlite3_column_text")
declare function columnText(statement: usize, column: i32): usize;
@external("sqlite", "sqlite3_column_blob")
declare function columnBlob(statement: usize, column: i32): usize;
@external("sqlite", "sqlite3_column_bytes")
declare function columnBytes(statement: usize, column: i32): i32;

/** Steps until `rowsMax` rows are in the buffer, the buffer is full, or the statement ends. */
export function readRows(
  statement: usize,
  buffer: usize,
  bytes: usize,
  rowsMax: i32,
): void {
  const end = buffer + bytes;
  let at = buffer + HEADER_BYTES;
  let rows = 0;
  let columns = 0;
  let code = ROW;
  let isOver = 0;
  while (rows < rowsMax) {
    code = step(statement);
    if (code != ROW) break;
    // only a step tells: it may have prepared the statement anew, for another schema
    if (rows == 0) columns = dataCount(statement);
    const next = writeRow(statement, columns, at, end);
    if (next == 0) {
      isOver = 1;
      break;
    }
    at = next;
    rows++;
  }
  store<u32>(buffer, rows);
  store<u32>(buffer, code, 4);
  store<u32>(buffer, isOver, 8);
  store<u32>(buffer, columns, 12);
}

/** Where the row ends; 0 where it does not fit. */
function writeRow(statement: usize, columns: i32, start: usize, end: usize): usize {
  let at = start;
  for (let column = 0; column < columns; column++) {
    if (at + 9 > end) return 0;
    const type = columnType(statement, column);
    if (type == TEXT || type == BLOB) {
      at = writeBytes(statement, column, type, at, end);
      if (at == 0) return 0;
    } else at = writeNumber(statement, column, type, at);
  }
  return at;
}

function writeNumber(statement: usize, column: i32, type: i32, at: usize): usize {
  store<u8>(at, <u8> type);
  if (type != INTEGER && type != FLOAT) return at + 1;
  const value = columnDouble(statement, column);
  if (type == INTEGER && Math.abs(value) > SAFE_MAX) {
    store<u8>(at, <u8> INT64);
    store<i32>(at, columnInt64(statement, column), 1);
    store<i32>(at, highHalf(), 5);
  } else store<f64>(at, value, 1);
  return at + 9;
}

function writeBytes(statement: usize, column: i32, type: i32, at: usize, end: usize): usize {
  const source = type == TEXT ? columnText(statement, column) : columnBlob(statement, column);
  const length = columnBytes(statement, column);
  if (at + 5 + length > end) return 0;
  store<u8>(at, <u8> type);
  store<u32>(at, length, 1);
  memory.copy(at + 5, source, length);
  return at + 5 + length;
}
