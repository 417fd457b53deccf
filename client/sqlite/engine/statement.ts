/**
 * A prepared statement.
 *
 * @module
 */

import { GraftError } from "../../../src/core/errors.ts";
import type { Engine } from "./engine.ts";
import { ResultCode } from "./result_codes.ts";
import type { Answer, Pointer } from "./sqlite_module.ts";
import { readControl, type StatementControl } from "./statement_control.ts";
import { bindParameter, readColumn, type SqlParameter, type SqlValue } from "./values.ts";

/** Parameters by position, or by name; names with or without their `:`, `@` or `$`. */
export type SqlParameters = readonly SqlParameter[] | Readonly<Record<string, SqlParameter>>;

/** A row by the names of its columns. */
export type SqlRow = Record<string, SqlValue>;

const FIELD = { configurable: true, enumerable: true, writable: true } as const;
/** SQLITE_STMTSTATUS_REPREPARE */
const REPREPARED = 5;

/** A prepared statement. Whoever steps through it must reset it. */
export class Statement {
  /** What was prepared. */
  readonly sql: string;
  /** Whether it changes nothing. */
  readonly isReadOnly: boolean;
  /** What it does beside reading and writing rows; undefined for most. */
  readonly control: StatementControl | undefined;
  readonly #engine: Engine;
  readonly #pointer: Pointer;
  readonly #parameters: readonly (string | undefined)[];
  #columns: string[] | undefined;
  #prepared = 0;
  /** Whether it has ended, or was not begun. */
  #isDone = true;
  /** Whether it is at a row: then what it does may fail yet. */
  #isAtRow = false;

  private constructor(engine: Engine, sql: string, pointer: Pointer) {
    const { exports } = engine;
    this.sql = sql;
    this.isReadOnly = exports.sqlite3_stmt_readonly(pointer) !== 0;
    this.control = readControl(sql);
    this.#engine = engine;
    this.#pointer = pointer;
    this.#parameters = parameterNames(engine, pointer);
  }

  /**
   * Prepares the first statement of `sql`.
   *
   * @returns The statement, undefined where there is none, and the text behind it.
   */
  static async prepare(
    engine: Engine,
    sql: string,
  ): Promise<{ statement: Statement | undefined; tail: string }> {
    const { statement, bytes } = await engine.prepare(sql);
    const [text, tail] = splitAt(sql, bytes);
    return {
      statement: statement === 0 ? undefined : new Statement(engine, text, statement),
      tail,
    };
  }

  /** How many parameters it has. */
  get parameterCount(): number {
    return this.#parameters.length;
  }

  /** The names of its columns; none for a statement that answers no rows. */
  get columns(): readonly string[] {
    const { exports } = this.#engine;
    // a change of the schema prepares the statement again, and may change its columns
    const prepared = exports.sqlite3_stmt_status(this.#pointer, REPREPARED, 0);
    if (this.#columns === undefined || prepared !== this.#prepared) {
      this.#prepared = prepared;
      const count = exports.sqlite3_column_count(this.#pointer);
      this.#columns = Array.from(
        { length: count },
        (_, i) => this.#engine.text(exports.sqlite3_column_name(this.#pointer, i)),
      );
    }
    return this.#columns;
  }

  /**
   * Sets all parameters.
   *
   * @throws {GraftError} `invalid` for too many or too few of them, unknown names, and values that SQLite has no
   * type for.
   */
  bind(parameters: SqlParameters): void {
    if (isList(parameters)) this.#bindList(parameters);
    else this.#bindNamed(parameters);
  }

  /** Moves to the next row: whether there is one. */
  step(): boolean | Promise<boolean> {
    this.#isDone = this.#isAtRow = false;
    const answer = this.#engine.suspending.sqlite3_step(this.#pointer);
    if (typeof answer !== "number") return answer.then((code) => this.#isRow(code));
    return this.#isRow(answer);
  }

  /** The row that it is at, by position. */
  row(): SqlValue[] {
    const count = this.columns.length;
    const row = new Array<SqlValue>(count);
    for (let i = 0; i < count; i++) row[i] = readColumn(this.#engine, this.#pointer, i);
    return row;
  }

  /** A row by the names of the columns. Of two columns of a name the last one wins. */
  toObject(row: readonly SqlValue[]): SqlRow {
    const { columns } = this;
    const object: SqlRow = {};
    for (let i = 0; i < columns.length; i++) {
      const name = columns[i];
      // an assignment would set what the object inherits from
      if (name === "__proto__") Object.defineProperty(object, name, { ...FIELD, value: row[i] });
      else object[name] = row[i];
    }
    return object;
  }

  /**
   * The next rows, by position: at most `rowsMax`, and fewer where they are long.
   *
   * @returns The rows, and whether the statement has ended.
   */
  async read(rowsMax: number): Promise<{ rows: SqlValue[][]; isDone: boolean }> {
    const reader = this.#engine.rows;
    if (reader === undefined) return await this.#readSingly(rowsMax);
    this.#isDone = this.#isAtRow = false;
    const { rows, code, isOver } = await reader.read(this.#pointer, rowsMax);
    const isDone = !this.#isRow(code);
    if (isOver) rows.push(this.row());
    return { rows, isDone };
  }

  /**
   * Makes it ready to run again; a promise where that takes its time. What it failed with was told already.
   *
   * @throws {SqliteError} Where it is broken off, and what it did cannot be committed.
   */
  reset(): Promise<void> | undefined {
    const { exports } = this.#engine;
    if (!this.#isDone) return this.#resetLater();
    exports.sqlite3_reset(this.#pointer);
    exports.sqlite3_clear_bindings(this.#pointer);
  }

  /** Ends it. */
  async finalize(): Promise<void> {
    const answer: Answer = this.#engine.suspending.sqlite3_finalize(this.#pointer);
    await answer;
  }

  async #readSingly(rowsMax: number): Promise<{ rows: SqlValue[][]; isDone: boolean }> {
    const rows: SqlValue[][] = [];
    while (rows.length < rowsMax) {
      const step = this.step();
      if (!(typeof step === "boolean" ? step : await step)) return { rows, isDone: true };
      rows.push(this.row());
    }
    return { rows, isDone: false };
  }

  /** A statement that is broken off may have to end its transaction, and wait for that. */
  async #resetLater(): Promise<void> {
    const code = await this.#engine.suspending.sqlite3_reset(this.#pointer);
    const isNews = this.#isAtRow;
    this.#isDone = true;
    this.#isAtRow = false;
    this.#engine.exports.sqlite3_clear_bindings(this.#pointer);
    if (isNews) this.#engine.check(code, this.sql);
  }

  #isRow(code: number): boolean {
    this.#isDone = code === ResultCode.DONE;
    this.#isAtRow = code === ResultCode.ROW;
    if (this.#isAtRow) return true;
    if (!this.#isDone) throw this.#engine.error(code, this.sql);
    this.#engine.requireHeard(this.sql);
    return false;
  }

  #bindList(values: readonly SqlParameter[]): void {
    const wanted = this.#parameters.length;
    if (values.length !== wanted) {
      throw this.#cannotBind(`it takes ${wanted} parameters, not ${values.length}`);
    }
    for (let i = 0; i < wanted; i++) this.#bind(i + 1, values[i]);
  }

  #bindNamed(values: Readonly<Record<string, SqlParameter>>): void {
    const known = new Set<string>();
    this.#parameters.forEach((name, i) => {
      if (name === undefined) throw this.#cannotBind(`its parameter ${i + 1} has no name`);
      const key = Object.hasOwn(values, name) ? name : name.slice(1);
      if (!Object.hasOwn(values, key)) throw this.#cannotBind(`no value is given for "${name}"`);
      known.add(key);
      this.#bind(i + 1, values[key]);
    });
    const unknown = Object.keys(values).find((key) => !known.has(key));
    if (unknown !== undefined) throw this.#cannotBind(`it has no parameter "${unknown}"`);
  }

  #bind(index: number, value: SqlParameter): void {
    this.#engine.check(bindParameter(this.#engine, this.#pointer, index, value), this.sql);
  }

  #cannotBind(state: string): GraftError {
    return new GraftError("invalid", `Cannot bind the parameters of "${this.sql}": ${state}`);
  }
}

function isList(parameters: SqlParameters): parameters is readonly SqlParameter[] {
  return Array.isArray(parameters);
}

function parameterNames(engine: Engine, statement: Pointer): (string | undefined)[] {
  const { exports } = engine;
  return Array.from({ length: exports.sqlite3_bind_parameter_count(statement) }, (_, i) => {
    const name = exports.sqlite3_bind_parameter_name(statement, i + 1);
    return name === 0 ? undefined : engine.text(name);
  });
}

/** Splits text after so many bytes of UTF-8. */
function splitAt(text: string, bytes: number): [string, string] {
  let at = 0;
  for (let left = bytes; left > 0 && at < text.length;) {
    const point = text.codePointAt(at)!;
    left -= point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    at += point < 0x10000 ? 1 : 2;
  }
  return [text.slice(0, at), text.slice(at)];
}
