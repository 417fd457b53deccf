/**
 * Statements by chance, all of which succeed.
 *
 * @module
 */

interface Table {
  name: string;
  /** Besides `id`. */
  readonly columns: string[];
  /** Those of {@linkcode columns} that no index has, which may be dropped. */
  readonly free: Set<string>;
}

const ROWS_MAX = 300;
const TABLES_MAX = 5;
/** Some of these fit into a page, and some need a chain of overflow pages. */
const VALUES = [
  "i * 7919 % 1000",
  "hex(randomblob(20))",
  "'row ' || i || ' of many'",
  "i / 4.0",
  "null",
  "randomblob(500)",
  "case when i % 50 = 0 then randomblob(30000) else i end",
];

/** Makes statements; the same seed makes the same. */
export class RandomStatements {
  #state: number;
  #names = 0;
  readonly #tables: Table[] = [];

  /** Begins with no tables but `docs`, of FTS5. */
  constructor(seed: number) {
    this.#state = seed;
  }

  /** What creates the database. */
  get schema(): string {
    const vacuum = this.#pick(["none", "full", "incremental"]);
    return `pragma auto_vacuum = ${vacuum}; create virtual table docs using fts5 (body)`;
  }

  /** One statement, or a transaction of several; ends outside of a transaction. */
  next(): string {
    if (this.#tables.length === 0) return this.#createTable();
    const kind = this.#below(10);
    if (kind === 0) return this.#upkeep();
    if (kind <= 2) return this.#change();
    if (kind <= 4) return `begin; ${this.#change()}; ${this.#change()}; ${this.#rows()}; commit`;
    if (kind === 5) return `begin; ${this.#rows()}; ${this.#rows()}; rollback`;
    if (kind <= 7) {
      const undone = `savepoint s; ${this.#rows()}; ${this.#rows()}; rollback to s; release s`;
      return `begin; ${this.#rows()}; ${undone}; ${this.#rows()}; commit`;
    }
    return this.#rows();
  }

  /** What changes rows and nothing else. */
  #rows(): string {
    const table = this.#pick(this.#tables);
    const [first, step] = [this.#below(ROWS_MAX), 2 + this.#below(6)];
    const where = `id % ${step} = ${this.#below(step)}`;
    const column = this.#pick(table.columns);
    switch (this.#below(6)) {
      case 0:
        return `delete from ${table.name} where ${where}`;
      case 1:
        return `update ${table.name} set ${column} = hex(randomblob(40)) where ${where}`;
      case 2:
        return `delete from docs where rowid % ${step} = 1`;
      case 3:
        return `insert into docs (body) ${
          numbers(1, 60)
        } select 'word' || (i * 31 % 17) || ' and number ' || i from n`;
      default: {
        const values = table.columns.map(() => this.#pick(VALUES)).join(", ");
        return `insert or replace into ${table.name} (id, ${table.columns.join(", ")}) ${
          numbers(first, first + 1 + this.#below(ROWS_MAX))
        } select i, ${values} from n`;
      }
    }
  }

  /** What changes the schema, mostly. */
  #change(): string {
    const table = this.#pick(this.#tables);
    switch (this.#below(7)) {
      case 0:
        return this.#addColumn(table);
      case 1:
        return this.#renameColumn(table);
      case 2:
        return this.#createIndex(table);
      case 3:
        return this.#renameTable(table);
      case 4:
        return this.#tables.length > 1 ? this.#dropTable(table) : this.#rows();
      case 5:
        return table.free.size > 0 && table.columns.length > 1
          ? this.#dropColumn(table)
          : this.#rows();
      default:
        return this.#tables.length < TABLES_MAX ? this.#createTable() : this.#rows();
    }
  }

  #upkeep(): string {
    return this.#pick([
      "vacuum",
      "pragma incremental_vacuum(20)",
      "analyze",
      "reindex",
      "insert into docs (docs) values ('optimize')",
      `pragma user_version = ${this.#below(1000)}`,
    ]);
  }

  #createTable(): string {
    const name = this.#name("t");
    const columns = ["a", "b"];
    this.#tables.push({ name, columns, free: new Set(columns) });
    const kind = this.#pick(["", "without rowid"]);
    return `create table ${name} (id integer primary key, a, b text) ${kind}`;
  }

  #addColumn({ name, columns, free }: Table): string {
    const column = this.#name("c");
    columns.push(column);
    free.add(column);
    return `alter table ${name} add column ${column} default 'as it was'`;
  }

  #renameColumn({ name, columns, free }: Table): string {
    const at = this.#below(columns.length);
    const [from, to] = [columns[at], this.#name("c")];
    columns[at] = to;
    if (free.delete(from)) free.add(to);
    return `alter table ${name} rename column ${from} to ${to}`;
  }

  #dropColumn({ name, columns, free }: Table): string {
    const column = this.#pick([...free]);
    columns.splice(columns.indexOf(column), 1);
    free.delete(column);
    return `alter table ${name} drop column ${column}`;
  }

  #createIndex({ name, columns, free }: Table): string {
    const column = this.#pick(columns);
    free.delete(column);
    return `create index ${this.#name("i")} on ${name} (${column}, id)`;
  }

  #renameTable(table: Table): string {
    const from = table.name;
    table.name = this.#name("t");
    return `alter table ${from} rename to ${table.name}`;
  }

  #dropTable(table: Table): string {
    this.#tables.splice(this.#tables.indexOf(table), 1);
    return `drop table ${table.name}`;
  }

  #name(prefix: string): string {
    return `${prefix}${++this.#names}`;
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)];
  }

  /** A number below `end` (mulberry32). */
  #below(end: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * end);
  }
}

function numbers(first: number, last: number): string {
  return `with recursive n (i) as (select ${first} union all select i + 1 from n where i < ${last})`;
}
